//! The NIPs this relay speaks: one table, read by NIP-11, the landing page and the README.

/// A NIP.
pub struct Nip {
    /// Its number.
    pub number: u16,
    /// What it is about.
    pub title: &'static str,
}

const SUPPORTED: [Nip; 18] = [
    Nip { number: 1, title: "Basic protocol" },
    Nip { number: 2, title: "Follow lists" },
    Nip { number: 4, title: "Encrypted direct messages" },
    Nip { number: 9, title: "Deletion requests" },
    Nip { number: 11, title: "Relay information" },
    Nip { number: 17, title: "Private direct messages" },
    Nip { number: 22, title: "Limits of created_at" },
    Nip { number: 28, title: "Public chat" },
    Nip { number: 40, title: "Expiration" },
    Nip { number: 42, title: "Authentication" },
    Nip { number: 45, title: "Counting" },
    Nip { number: 59, title: "Gift wraps" },
    Nip { number: 62, title: "Requests to vanish" },
    Nip { number: 65, title: "Relay lists" },
    Nip { number: 70, title: "Protected events" },
    Nip { number: 77, title: "Negentropy syncing" },
    Nip { number: 86, title: "Relay management" },
    Nip { number: 98, title: "HTTP authentication" },
];

/// What is not spoken by every relay at every time.
#[derive(Clone, Copy, Debug)]
pub struct Spoken {
    /// Whether somebody answers NIP-77.
    pub reconciles: bool,
    /// Whether there is somebody to manage the relay by NIP-86.
    pub is_managed: bool,
}

/// The NIPs that are in force.
pub fn supported(spoken: Spoken) -> impl Iterator<Item = &'static Nip> {
    SUPPORTED.iter().filter(move |nip| match nip.number {
        77 => spoken.reconciles,
        86 => spoken.is_managed,
        _ => true,
    })
}
