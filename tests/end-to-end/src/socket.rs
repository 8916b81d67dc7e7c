//! Firefox's newer, two-way protocol, for the two things that WebDriver's requests cannot do there.

use std::{
    net::TcpStream,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use serde_json::{Value, json};
use tungstenite::{WebSocket, stream::MaybeTlsStream};

/// One connection to a session.
pub(crate) struct Socket(WebSocket<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(crate) fn connect(address: &str) -> Self {
        let (socket, _) = tungstenite::connect(address).expect("Firefox listens at its socket");
        Self(socket)
    }

    /// Sends a command and waits for its answer.
    pub(crate) fn command(&mut self, method: &str, parameters: &Value) {
        let command = json!({ "id": 1, "method": method, "params": parameters });
        self.0.send(command.to_string().into()).expect("Firefox takes a command");
        loop {
            let answer = self.next().expect("Firefox answers");
            if answer["id"] == 1 {
                assert_eq!(answer["type"], "success", "Firefox refused {method}: {answer}");
                return;
            }
        }
    }

    /// The next message; `None` when the browser is gone.
    fn next(&mut self) -> Option<Value> {
        serde_json::from_str(self.0.read().ok()?.to_text().ok()?).ok()
    }
}

/// Errors and calls of `console.error` in all tabs, from now on until the browser ends.
#[derive(Debug, Default, Clone)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(crate) fn follow(address: &str) -> Self {
        let log = Self::default();
        let entries = Arc::clone(&log.0);
        let mut socket = Socket::connect(address);
        socket.command("session.subscribe", &json!({ "events": ["log.entryAdded"] }));
        thread::spawn(move || {
            while let Some(message) = socket.next() {
                let entry = &message["params"];
                if message["method"] == "log.entryAdded" && entry["level"] == "error" {
                    let text = entry["text"].as_str().unwrap_or_default().to_owned();
                    entries.lock().unwrap_or_else(PoisonError::into_inner).push(text);
                }
            }
        });
        log
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
