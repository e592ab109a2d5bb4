//! SIGTERM ends the service in order, whoever listens to it.

use nix::sys::signal::Signal;
use rpc::RemoteStore;
use store::EventStore;

use crate::house::House;
use crate::service::note;
use crate::trials;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_streams_do_not_hold_it_up() {
    let house = House::new();
    trials::open_streams_do_not_hold_up_the_end(house.start(&[])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_on_a_unix_socket_and_takes_the_socket_away() {
    let house = House::new();
    let socket = house.path("db.sock");
    let listen = format!("unix:{}", socket.display());
    for _ in 0..2 {
        let mut service = house.start(&[("ORLY_DB_LISTEN", &listen)]);
        let store = RemoteStore::new(service.address.clone());
        assert_eq!(store.contains(&[note(1).as_ref().id()]).await.unwrap(), [false]);
        let second = house.run(&[("ORLY_DB_LISTEN", &listen)], &[]);
        let text = String::from_utf8_lossy(&second.stderr).into_owned();
        assert_eq!(second.status.code(), Some(1), "{text}");
        assert!(text.contains("another process listens there"), "{text}");
        // Killed, it leaves the socket behind; ended, it does not.
        service.signal(Signal::SIGKILL);
        service.wait();
        assert!(socket.exists());
    }
    let mut service = house.start(&[("ORLY_DB_LISTEN", &listen)]);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait().0, Some(0));
    assert!(!socket.exists());
}
