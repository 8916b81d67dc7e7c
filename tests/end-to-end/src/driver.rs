//! A small WebDriver client.
//!
//! Written here instead of taken from a crate because the scenarios are a list of steps, each waiting for the one
//! before: a blocking client lets them read as such. The protocol is one JSON request a command, and half of the
//! commands in use are outside the standard anyway (add-ons, DevTools, logs).

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};

const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const SHADOW_ROOT: &str = "shadow-6066-11e4-a52e-4f735466cecf";

/// What the driver answered instead of a result, for instance `no such element`.
#[derive(Debug, Clone)]
pub struct DriverError {
    pub kind: String,
    pub message: String,
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first_line = self.message.lines().next().unwrap_or_default();
        write!(f, "{}: {first_line}", self.kind)
    }
}

impl std::error::Error for DriverError {}

/// One session with one browser.
#[derive(Debug, Clone)]
pub struct Driver {
    agent: ureq::Agent,
    /// Address of the session, to which commands are appended.
    session: Arc<str>,
}

impl Driver {
    /// Asks the driver program at `port` for a browser. Also returns what it says of that browser.
    pub fn open(port: u16, capabilities: &Value) -> Result<(Self, Value), DriverError> {
        let agent = agent();
        let address = format!("http://127.0.0.1:{port}/session");
        let request = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let answer = send(agent.post(&address).send_json(&request))?;
        let id = answer["sessionId"].as_str().unwrap_or_default();
        let session = format!("{address}/{id}").into();
        Ok((Self { agent, session }, answer["capabilities"].clone()))
    }

    pub fn get(&self, command: &str) -> Result<Value, DriverError> {
        send(self.agent.get(self.address(command)).call())
    }

    pub fn post(&self, command: &str, body: &Value) -> Result<Value, DriverError> {
        send(self.agent.post(self.address(command)).send_json(body))
    }

    pub fn delete(&self, command: &str) -> Result<Value, DriverError> {
        send(self.agent.delete(self.address(command)).call())
    }

    fn address(&self, command: &str) -> String {
        if command.is_empty() { self.session.to_string() } else { format!("{}/{command}", self.session) }
    }

    /// Runs the body of a function in the page and returns its result. Elements go in as [`Element::argument`].
    pub fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, DriverError> {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// The same for a script that calls its last argument with the result.
    pub fn run_async(&self, script: &str, arguments: &[Value]) -> Result<Value, DriverError> {
        self.post("execute/async", &json!({ "script": script, "args": arguments }))
    }

    /// Every element of the document that matches.
    pub fn all(&self, css: &str) -> Result<Vec<Element>, DriverError> {
        self.elements_below("", css)
    }

    /// The first element of the document that matches.
    pub fn one(&self, css: &str) -> Result<Element, DriverError> {
        first(self.all(css)?, css)
    }

    fn elements_below(&self, place: &str, css: &str) -> Result<Vec<Element>, DriverError> {
        let found =
            self.post(&format!("{place}elements"), &json!({ "using": "css selector", "value": css }))?;
        let ids = found.as_array().into_iter().flatten().filter_map(|one| one[ELEMENT].as_str());
        Ok(ids.map(|id| Element { driver: self.clone(), id: id.to_owned() }).collect())
    }
}

/// An element of the page that the browser showed when it was found.
#[derive(Debug, Clone)]
pub struct Element {
    driver: Driver,
    id: String,
}

impl Element {
    /// The element as an argument for a script.
    pub fn argument(&self) -> Value {
        json!({ ELEMENT: self.id })
    }

    pub fn all(&self, css: &str) -> Result<Vec<Element>, DriverError> {
        self.driver.elements_below(&format!("element/{}/", self.id), css)
    }

    /// A trusted click, as by a person: scrolls there and refuses when something else lies above.
    pub fn click(&self) -> Result<(), DriverError> {
        self.command("click", &json!({}))
    }

    /// Empties the field, then types.
    pub fn fill(&self, text: &str) -> Result<(), DriverError> {
        self.command("clear", &json!({}))?;
        self.type_keys(text)
    }

    /// Types at the end of what is there. For a file field, `text` is the path of the file.
    pub fn type_keys(&self, text: &str) -> Result<(), DriverError> {
        self.command("value", &json!({ "text": text }))
    }

    /// The text as a person sees it.
    pub fn text(&self) -> Result<String, DriverError> {
        let text = self.driver.get(&format!("element/{}/text", self.id))?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    pub fn attribute(&self, name: &str) -> Result<Option<String>, DriverError> {
        let value = self.driver.get(&format!("element/{}/attribute/{name}", self.id))?;
        Ok(value.as_str().map(str::to_owned))
    }

    pub fn is_displayed(&self) -> Result<bool, DriverError> {
        Ok(self.driver.get(&format!("element/{}/displayed", self.id))? == true)
    }

    /// The shadow root, a closed one too: that is what makes it possible to test ours.
    pub fn shadow_root(&self) -> Result<ShadowRoot, DriverError> {
        let root = self.driver.get(&format!("element/{}/shadow", self.id))?;
        let id = root[SHADOW_ROOT].as_str().unwrap_or_default().to_owned();
        Ok(ShadowRoot { driver: self.driver.clone(), id })
    }

    /// A picture of the element alone, as PNG.
    pub fn screenshot(&self) -> Result<Value, DriverError> {
        self.driver.get(&format!("element/{}/screenshot", self.id))
    }

    fn command(&self, command: &str, body: &Value) -> Result<(), DriverError> {
        self.driver.post(&format!("element/{}/{command}", self.id), body).map(drop)
    }
}

/// A shadow root, closed or open.
#[derive(Debug, Clone)]
pub struct ShadowRoot {
    driver: Driver,
    id: String,
}

impl ShadowRoot {
    /// The root as an argument for a script.
    pub fn argument(&self) -> Value {
        json!({ SHADOW_ROOT: self.id })
    }

    pub fn all(&self, css: &str) -> Result<Vec<Element>, DriverError> {
        self.driver.elements_below(&format!("shadow/{}/", self.id), css)
    }
}

fn first(elements: Vec<Element>, css: &str) -> Result<Element, DriverError> {
    elements.into_iter().next().ok_or_else(|| DriverError {
        kind: "no such element".to_owned(),
        message: format!("nothing matches {css}"),
    })
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        // The driver says what went wrong in the body of its 4xx and 5xx answers.
        .http_status_as_error(false)
        // Never through a proxy of the surroundings: the driver is on loopback.
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(120)))
        .build()
        .into()
}

fn send(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, DriverError> {
    let unreachable = |error: ureq::Error| DriverError {
        kind: "driver unreachable".to_owned(),
        message: error.to_string(),
    };
    let body = answer.map_err(unreachable)?.body_mut().with_config().limit(256 << 20).read_json::<Value>();
    let value = body.map_err(unreachable)?["value"].take();
    match value["error"].as_str() {
        Some(kind) => {
            let message = value["message"].as_str().unwrap_or_default().to_owned();
            Err(DriverError { kind: kind.to_owned(), message })
        }
        None => Ok(value),
    }
}
