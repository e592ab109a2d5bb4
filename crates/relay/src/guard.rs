//! How often an address may ask for pages and WebSockets, and that known crawlers may not.
//!
//! Each address has two allowances that fill up again evenly. This machine, private networks and trusted
//! proxies are not counted: many clients, or the operator's own, may be behind one of their addresses.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use parking_lot::Mutex;

use crate::http::{Body, text};
use crate::network::holder;
use crate::settings::Guarding;

/// How many addresses are remembered.
const MOST_VISITORS: usize = 20_000;
const MINUTE: f64 = 60.0;

/// Crawlers that take pages for search engines, shops and language models, as they name themselves.
const CRAWLERS: [&str; 19] = [
    "ahrefsbot",
    "amazonbot",
    "applebot-extended",
    "barkrowler",
    "blexbot",
    "bytespider",
    "ccbot",
    "claudebot",
    "dataforseobot",
    "dotbot",
    "gptbot",
    "meta-externalagent",
    "mj12bot",
    "perplexitybot",
    "petalbot",
    "rogerbot",
    "scrapy",
    "semrushbot",
    "serpstatbot",
];

/// Stands at the door.
pub(crate) struct Guard {
    settings: Option<Guarding>,
    visitors: Mutex<HashMap<IpAddr, Visitor>>,
}

/// What somebody asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A page.
    Page,
    /// A WebSocket.
    Socket,
}

/// Why somebody is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Too often, and for how long.
    TooOften(Asked, Duration),
    /// By name.
    Crawler,
}

/// What an address has left.
struct Visitor {
    pages: Allowance,
    sockets: Allowance,
}

struct Allowance {
    left: f64,
    at: Instant,
}

impl Guard {
    pub(crate) fn new(settings: Option<Guarding>) -> Self {
        Self { settings, visitors: Mutex::default() }
    }

    /// Lets a request in, or says why not.
    pub(crate) fn admit(
        &self,
        ip: IpAddr,
        asked: Asked,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<(), Refusal> {
        let Some(settings) = &self.settings else { return Ok(()) };
        let Some(key) = counted(ip) else { return Ok(()) };
        if settings.refuses_crawlers && is_crawler(headers) {
            return Err(Refusal::Crawler);
        }
        let most = match asked {
            Asked::Page => settings.pages_per_minute,
            Asked::Socket => settings.sockets_per_minute,
        };
        let mut visitors = self.visitors.lock();
        if visitors.len() >= MOST_VISITORS && !visitors.contains_key(&key) {
            forget(&mut visitors, now);
        }
        let full = |most: NonZeroU32| Allowance { left: f64::from(most.get()), at: now };
        let visitor = visitors.entry(key).or_insert_with(|| Visitor {
            pages: full(settings.pages_per_minute),
            sockets: full(settings.sockets_per_minute),
        });
        let allowance = match asked {
            Asked::Page => &mut visitor.pages,
            Asked::Socket => &mut visitor.sockets,
        };
        allowance.take(most, now).map_err(|wait| Refusal::TooOften(asked, wait))
    }
}

impl Allowance {
    /// Takes one, or says how long it takes until there is one.
    fn take(&mut self, per_minute: NonZeroU32, now: Instant) -> Result<(), Duration> {
        let most = f64::from(per_minute.get());
        let rate = most / MINUTE;
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * rate).min(most);
        self.at = now;
        if self.left < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.left) / rate));
        }
        self.left -= 1.0;
        Ok(())
    }
}

impl Refusal {
    /// What the client is told.
    pub(crate) fn response(self) -> Response<Body> {
        match self {
            Self::Crawler => text(StatusCode::FORBIDDEN, "crawlers are not served here"),
            Self::TooOften(asked, wait) => {
                let what = match asked {
                    Asked::Page => "requests",
                    Asked::Socket => "connections",
                };
                let secs = wait.as_secs() + 1;
                let reason = format!("too many {what} from this address, try again in {secs} s");
                let mut response = text(StatusCode::TOO_MANY_REQUESTS, reason);
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
                response
            }
        }
    }
}

/// Under which address somebody is counted, if at all.
fn counted(ip: IpAddr) -> Option<IpAddr> {
    match ip.to_canonical() {
        IpAddr::V4(ip) if ip.is_loopback() || ip.is_private() || ip.is_link_local() => None,
        IpAddr::V6(ip)
            if ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() =>
        {
            None
        }
        ip => Some(holder(ip)),
    }
}

fn is_crawler(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.unwrap_or_default().to_ascii_lowercase();
    CRAWLERS.iter().any(|name| agent.contains(name))
}

/// Forgets who has been away for a minute, and so has all allowances again; or else everybody.
fn forget(visitors: &mut HashMap<IpAddr, Visitor>, now: Instant) {
    let is_recent =
        |allowance: &Allowance| now.saturating_duration_since(allowance.at).as_secs_f64() < MINUTE;
    visitors.retain(|_, visitor| is_recent(&visitor.pages) || is_recent(&visitor.sockets));
    if visitors.len() >= MOST_VISITORS {
        visitors.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        let [pages_per_minute, sockets_per_minute] =
            [6, 2].map(|count| NonZeroU32::new(count).unwrap());
        let refuses_crawlers = true;
        Guard::new(Some(Guarding { pages_per_minute, sockets_per_minute, refuses_crawlers }))
    }

    fn ask(guard: &Guard, ip: &str, asked: Asked, now: Instant) -> Result<(), Refusal> {
        guard.admit(ip.parse().unwrap(), asked, &HeaderMap::new(), now)
    }

    #[test]
    fn an_allowance_is_used_up_and_fills_again() {
        let (guard, start) = (guard(), Instant::now());
        for _ in 0..6 {
            assert_eq!(ask(&guard, "203.0.113.1", Asked::Page, start), Ok(()));
        }
        let refusal = Refusal::TooOften(Asked::Page, Duration::from_secs(10));
        assert_eq!(ask(&guard, "203.0.113.1", Asked::Page, start), Err(refusal));
        assert_eq!(refusal.response().headers()[header::RETRY_AFTER], "11");
        assert_eq!(ask(&guard, "203.0.113.1", Asked::Socket, start), Ok(()), "apart");
        assert_eq!(ask(&guard, "203.0.113.2", Asked::Page, start), Ok(()), "another");
        let later = start + Duration::from_secs(10);
        assert_eq!(ask(&guard, "203.0.113.1", Asked::Page, later), Ok(()));
        assert!(ask(&guard, "203.0.113.1", Asked::Page, later).is_err());
    }

    #[test]
    fn own_networks_are_not_counted_and_a_network_of_ipv6_is_one_address() {
        let (guard, now) = (guard(), Instant::now());
        for ip in ["127.0.0.1", "::1", "10.1.2.3", "172.18.0.1", "::ffff:192.168.0.9", "fd00::1"] {
            assert!((0..10).all(|_| ask(&guard, ip, Asked::Socket, now).is_ok()), "{ip}");
        }
        for ip in ["2001:db8::1", "2001:db8::2"] {
            assert_eq!(ask(&guard, ip, Asked::Socket, now), Ok(()));
        }
        assert!(ask(&guard, "2001:db8::3", Asked::Socket, now).is_err());
        assert_eq!(ask(&guard, "2001:db8:0:1::3", Asked::Socket, now), Ok(()));
    }

    #[test]
    fn crawlers_are_known_by_name() {
        let admit = |guard: &Guard, agent: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
            guard.admit("203.0.113.1".parse().unwrap(), Asked::Page, &headers, Instant::now())
        };
        let crawler = "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)";
        assert_eq!(admit(&guard(), crawler), Err(Refusal::Crawler));
        assert_eq!(admit(&guard(), "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"), Ok(()));
        assert_eq!(admit(&Guard::new(None), crawler), Ok(()));
    }

    #[test]
    fn no_more_are_remembered_than_there_is_room_for() {
        let (guard, now) = (guard(), Instant::now());
        for number in (0..).take(MOST_VISITORS + 10) {
            let ip = std::net::Ipv4Addr::from_bits(0xcb00_0000_u32 + number);
            ask(&guard, &ip.to_string(), Asked::Page, now).unwrap();
        }
        assert!(guard.visitors.lock().len() <= MOST_VISITORS);
    }
}
