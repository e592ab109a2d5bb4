//! A relay in a hundred lines, in memory, on one thread: enough for every command to run against.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread;

use event::{Event, EventId, Filter, hex};
use futures_util::{SinkExt, StreamExt};
use reconcile::{Item, Responder, SortedVec};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;
use tokio_tungstenite::tungstenite::Message;

/// What the relay does wrong on purpose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Every third event is stored and reaches no subscriber.
    LosesDeliveries,
    /// Notes are refused.
    RefusesNotes,
}

#[derive(Default)]
struct Store {
    events: BTreeMap<EventId, (Event, String)>,
    live: Vec<(String, Filter, UnboundedSender<String>)>,
    saved: usize,
}

/// Starts the relay on a free port; it serves as long as the test runs.
pub(crate) fn start(fault: Fault) -> SocketAddr {
    let (ready, address) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = LocalSet::new();
        local.block_on(&runtime, async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ready.send(listener.local_addr().unwrap()).unwrap();
            let store = Rc::new(RefCell::new(Store::default()));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::task::spawn_local(serve(stream, Rc::clone(&store), fault));
            }
        });
    });
    address.recv().unwrap()
}

async fn serve(stream: TcpStream, store: Rc<RefCell<Store>>, fault: Fault) {
    let (mut sink, mut messages) = tokio_tungstenite::accept_async(stream).await.unwrap().split();
    let (outgoing, mut queue) = unbounded_channel::<String>();
    let writing = async move {
        sink.send(Message::Ping("x".into())).await.unwrap();
        while let Some(text) = queue.recv().await {
            if sink.send(Message::text(text)).await.is_err() {
                return;
            }
        }
    };
    let reading = async move {
        let mut negentropy = SortedVec::default();
        while let Some(Ok(message)) = messages.next().await {
            if let Ok(text) = message.into_text()
                && let Ok(message) = serde_json::from_str::<Value>(&text)
            {
                answer(&message, &mut store.borrow_mut(), &mut negentropy, &outgoing, fault);
            }
        }
    };
    tokio::select! { () = writing => {}, () = reading => {} }
}

fn answer(
    message: &Value,
    store: &mut Store,
    negentropy: &mut SortedVec,
    out: &UnboundedSender<String>,
    fault: Fault,
) {
    let send = |value: Value| drop(out.send(value.to_string()));
    let id = message[1].as_str().unwrap_or_default();
    match message[0].as_str().unwrap() {
        "EVENT" => send(store.save(&message[1], fault)),
        "REQ" => {
            let filter: Filter = message[2].to_string().parse().unwrap();
            for (_, json) in store.matching(&filter) {
                let _ = out.send(format!(r#"["EVENT","{id}",{json}]"#));
            }
            send(json!(["EOSE", id]));
            store.live.push((id.to_owned(), filter, out.clone()));
        }
        "NEG-OPEN" => {
            let filter: Filter = message[2].to_string().parse().unwrap();
            let matching = store.matching(&filter);
            let items = matching.map(|(event, _)| event.as_ref());
            *negentropy = items
                .map(|event| Item { created_at: event.created_at(), id: event.id() })
                .collect();
            send(reconcile_once(negentropy, id, &message[3]));
        }
        "NEG-MSG" => send(reconcile_once(negentropy, id, &message[2])),
        _ => {}
    }
}

fn reconcile_once(set: &SortedVec, id: &str, digits: &Value) -> Value {
    let message = hex::decode(digits.as_str().unwrap().as_bytes()).unwrap();
    let answer = Responder::default().answer(set, &message).unwrap();
    json!(["NEG-MSG", id, hex::encode(&answer.message)])
}

impl Store {
    fn matching(&self, filter: &Filter) -> impl Iterator<Item = &(Event, String)> {
        let limit = filter.limit.unwrap_or(u64::MAX);
        let matching = self.events.values().filter(|(event, _)| filter.matches(event.as_ref()));
        matching.take(usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn save(&mut self, event: &Value, fault: Fault) -> Value {
        if fault == Fault::RefusesNotes && event["kind"] == 1 {
            return json!(["OK", event["id"], false, "blocked: no notes"]);
        }
        let json = event.to_string();
        let parsed = Event::from_json(&json).unwrap();
        self.saved += 1;
        let is_lost = fault == Fault::LosesDeliveries && self.saved.is_multiple_of(3);
        for (id, filter, out) in &self.live {
            if !is_lost && filter.matches(parsed.as_ref()) {
                let _ = out.send(format!(r#"["EVENT","{id}",{json}]"#));
            }
        }
        let is_new = self.events.insert(parsed.as_ref().id(), (parsed, json)).is_none();
        json!(["OK", event["id"], true, if is_new { "" } else { "duplicate: have it" }])
    }
}
