//! A server as clients see it: health, reflection, sockets, and how it ends.

use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{BindError, Listener, Readiness, ServeError, Server};
use crate::Address;

struct House {
    channel: Channel,
    readiness: Readiness,
    shutdown: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

async fn serve(address: &Address) -> House {
    let listener = Listener::bind(address).await.unwrap();
    let channel = listener.address().unwrap().connect();
    let (readiness, shutdown) = (Readiness::new(), CancellationToken::new());
    let server = Server::new(readiness.clone(), shutdown.clone());
    let serving = tokio::spawn(server.run(listener));
    House { channel, readiness, shutdown, serving }
}

fn loopback() -> Address {
    ":0".parse().unwrap()
}

fn request(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.into() }
}

#[tokio::test]
async fn health_follows_readiness_and_ends_with_the_server() {
    let house = serve(&loopback()).await;
    let mut client = HealthClient::new(house.channel.clone());
    let status = client.check(request("")).await.unwrap().into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    let mut states = client.watch(request("")).await.unwrap().into_inner();
    let mut unknown = client.watch(request("x")).await.unwrap().into_inner();
    let mut next = async || states.message().await.unwrap().map(|state| state.status());
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    house.readiness.set(true);
    assert_eq!(next().await, Some(ServingStatus::Serving));
    let state = unknown.message().await.unwrap().unwrap();
    assert_eq!(state.status(), ServingStatus::ServiceUnknown);
    assert_eq!(client.check(request("x")).await.unwrap_err().code(), tonic::Code::NotFound);
    house.shutdown.cancel();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    assert_eq!(next().await, None);
    drop((unknown, client, house.channel));
    house.serving.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_is_cut_off_after_the_grace() {
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    let house = serve(&loopback()).await;
    let mut client = ServerReflectionClient::new(house.channel.clone());
    // The end of this call is the client's to say, and it does not.
    let questions = futures_util::stream::pending();
    let mut answers = client.server_reflection_info(questions).await.unwrap().into_inner();
    let start = tokio::time::Instant::now();
    house.shutdown.cancel();
    house.serving.await.unwrap().unwrap();
    assert!(start.elapsed() >= super::GRACE);
    assert!(!matches!(answers.message().await, Ok(Some(_))));
}

#[tokio::test]
async fn both_versions_of_reflection_list_the_services() {
    macro_rules! names {
        ($version:ident, $channel:expr) => {{
            use pb::server_reflection_request::MessageRequest;
            use pb::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version as pb;
            let mut client =
                pb::server_reflection_client::ServerReflectionClient::new($channel.clone());
            let question = pb::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let questions = futures_util::stream::iter([question]);
            let mut answers = client.server_reflection_info(questions).await.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
            let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
            list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
        }};
    }
    let house = serve(&loopback()).await;
    assert!(names!(v1, house.channel).contains(&"grpc.health.v1.Health".to_owned()));
    assert!(names!(v1alpha, house.channel).contains(&"grpc.health.v1.Health".to_owned()));
}

#[tokio::test]
async fn a_channel_finds_a_server_that_comes_later_and_again() {
    let directory = TempDir::new().unwrap();
    let address = Address::Unix(directory.path().join("x.sock"));
    let mut client = HealthClient::new(address.connect());
    assert_eq!(client.check(request("")).await.unwrap_err().code(), tonic::Code::Unavailable);
    for _ in 0..2 {
        let house = serve(&address).await;
        let answer = tokio::time::timeout(Duration::from_secs(20), async {
            while client.check(request("")).await.is_err() {
                tokio::task::yield_now().await;
            }
        });
        answer.await.unwrap();
        house.shutdown.cancel();
        drop(house.channel);
        house.serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_socket_left_behind_is_replaced_and_a_live_one_is_not() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("x.sock");
    let address = Address::Unix(path.clone());
    // A listener of the standard library leaves its file when it goes.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::bind(&address).await.unwrap();
    let error = Listener::bind(&address).await.unwrap_err();
    assert!(matches!(error, BindError::InUse(_)), "{error}");
    drop(listener);
    assert!(!path.exists());
    std::fs::write(&path, "x").unwrap();
    let error = Listener::bind(&address).await.unwrap_err();
    assert!(matches!(error, BindError::NoSocket(_)), "{error}");
}
