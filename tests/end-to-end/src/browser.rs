//! A browser with the extension in it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    driver::{Driver, DriverError, Element},
    panel::Panel,
    process::{Process, find_program, free_port, output_folder, repository},
    proxy::Proxy,
    socket::{Log, Socket},
};

/// How long anything may take that a scenario waits for.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// Notes on the page when the guard became ready.
pub const WATCH_THE_GUARD: &str = "
    new MutationObserver((_, observer) => {
        if (!document.querySelector('div#packed-trunk[data-ready]')) return;
        observer.disconnect();
        document.documentElement.setAttribute('data-ready-at', performance.now());
    }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-ready'] });";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Chromium,
    Firefox,
}

impl Kind {
    pub const ALL: [Kind; 2] = [Kind::Chromium, Kind::Firefox];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Chromium => "chromium",
            Kind::Firefox => "firefox",
        }
    }
}

/// How to start a browser. `Options::default()` is what most scenarios want.
#[derive(Debug, Clone)]
pub struct Options {
    /// The dark colour scheme.
    pub dark: bool,
    /// Of the page, in CSS pixels.
    pub width: u32,
    pub height: u32,
    /// Twice the size of everything, as a person gets it with Ctrl and +.
    pub zoomed: bool,
    /// A profile to continue with after a restart. Without one, a fresh profile that is thrown away.
    pub profile: Option<PathBuf>,
    /// A window on the screen, for the demo.
    pub visible: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { dark: false, width: 1280, height: 900, zoomed: false, profile: None, visible: false }
    }
}

/// A running browser. Dropping it ends the browser and everything that was started for it.
///
/// Methods panic when the browser does not do what a scenario asks for: the message is the result of the test.
#[derive(Debug)]
pub struct Browser {
    kind: Kind,
    version: String,
    driver: Driver,
    /// Where Firefox speaks its two-way protocol; empty in Chromium.
    socket: String,
    proxy: Proxy,
    /// The tab in which the scenario began.
    first_tab: String,
    /// What Chromium's log held: it is emptied by reading it.
    chromium_log: RefCell<Vec<String>>,
    firefox_log: Log,
    downloads: TempDir,
    /// What a person would have done so far, click by click; a sign-in is one thing.
    actions: RefCell<Vec<String>>,
    /// What the driver and the browser printed; kept where something went wrong.
    printed: PathBuf,
    // Fields are dropped in this order: the programs end before their folders go.
    _program: Process,
    _profile: Option<TempDir>,
}

impl Browser {
    pub fn start(kind: Kind, options: &Options) -> Self {
        let proxy = Proxy::start();
        let downloads = TempDir::new().expect("a temporary folder can be made");
        let (own_profile, profile) = match &options.profile {
            Some(folder) => (None, folder.clone()),
            None => {
                let folder = TempDir::new().expect("a temporary folder can be made");
                let path = folder.path().to_owned();
                (Some(folder), path)
            }
        };
        fs::create_dir_all(&profile).expect("the profile's folder can be made");
        let extension = built_extension(kind, &profile);
        let setting =
            Setting { options, profile: &profile, downloads: downloads.path(), proxy: proxy.port() };
        let port = free_port();
        let log = output_folder().join(format!("{}-{port}.log", kind.name()));
        let (program, capabilities) = match kind {
            Kind::Chromium => (start_chromedriver(port, &log), chromium(&setting, &extension)),
            Kind::Firefox => (start_geckodriver(port, &log), firefox(&setting)),
        };
        wait_for_port(port);
        let (driver, about) = Driver::open(port, &capabilities)
            .unwrap_or_else(|error| panic!("{} does not start: {error}; see {}", kind.name(), log.display()));
        let first_tab = text(&ok(driver.get("window")));
        let version = text(&about["browserVersion"]);
        let socket = text(&about["webSocketUrl"]);
        let firefox_log = if kind == Kind::Firefox { Log::follow(&socket) } else { Log::default() };
        let browser = Self {
            kind,
            version,
            driver,
            socket,
            proxy,
            first_tab,
            chromium_log: RefCell::default(),
            firefox_log,
            downloads,
            actions: RefCell::default(),
            printed: log,
            _program: program,
            _profile: own_profile,
        };
        browser.emulate(options);
        match kind {
            Kind::Chromium => browser.collect_errors_in_chromium(),
            Kind::Firefox => browser.install_in_firefox(&extension),
        }
        browser
    }

    /// Whether there is still a window.
    pub fn is_open(&self) -> bool {
        self.driver.get("window/handles").is_ok_and(|handles| handles != json!([]))
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn version(&self) -> &str {
        &self.version
    }

    /// For what has no method of its own.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    // ---- Going places

    /// Opens an address in the current tab and waits for the page to load.
    pub fn open(&self, address: &str) {
        self.driver
            .post("url", &json!({ "url": address }))
            .unwrap_or_else(|error| panic!("{address} does not open: {error}"));
    }

    pub fn reload(&self) {
        ok(self.driver.post("refresh", &json!({})));
    }

    pub fn address(&self) -> String {
        text(&ok(self.driver.get("url")))
    }

    pub fn title(&self) -> String {
        text(&ok(self.driver.get("title")))
    }

    /// Opens a new tab with this address and switches there.
    pub fn open_tab(&self, address: &str) -> Tab {
        let tab = Tab(text(&ok(self.driver.post("window/new", &json!({ "type": "tab" })))["handle"]));
        self.switch_to(&tab);
        self.open(address);
        tab
    }

    /// The tab that is looked at now.
    pub fn tab(&self) -> Tab {
        Tab(text(&ok(self.driver.get("window"))))
    }

    /// The tab in which the scenario began.
    pub fn first_tab(&self) -> Tab {
        Tab(self.first_tab.clone())
    }

    pub fn switch_to(&self, tab: &Tab) {
        ok(self.driver.post("window", &json!({ "handle": tab.0 })));
    }

    /// Waits for a tab whose address contains `part`, and switches there.
    pub fn switch_to_tab_with(&self, part: &str) -> Tab {
        self.wait(&format!("a tab with {part:?} in its address"), || {
            let handles = self.driver.get("window/handles").ok()?;
            handles.as_array()?.iter().find_map(|handle| {
                self.driver.post("window", &json!({ "handle": handle })).ok()?;
                let address = self.driver.get("url").ok()?;
                address.as_str()?.contains(part).then(|| Tab(text(handle)))
            })
        })
    }

    pub fn close_tab(&self) {
        ok(self.driver.delete("window"));
        self.switch_to(&self.first_tab());
    }

    // ---- What a person does

    pub(crate) fn note_action(&self, what: &str) {
        self.actions.borrow_mut().push(what.to_owned());
    }

    /// Every deliberate action so far: a click, a field that is typed into, the answer to a question of the browser, a
    /// sign-in.
    pub fn actions(&self) -> Vec<String> {
        self.actions.borrow().clone()
    }

    // ---- The extension

    /// Switches to the desk, which opens by itself after the installation.
    pub fn desk(&self) -> Panel<'_> {
        self.switch_to_tab_with("-extension://");
        Panel::desk(self)
    }

    /// Opens the desk in the current tab. Chromium only: Firefox lets nothing outside of an extension do so.
    pub fn open_desk(&self) -> Panel<'_> {
        assert_eq!(self.kind, Kind::Chromium, "only Chromium can open a page of an extension by its address");
        self.open(&format!("chrome-extension://{}/desk.html", self.chromium_extension()));
        Panel::desk(self)
    }

    /// What the extension shows in the current page of Mastodon.
    pub fn guard(&self) -> Panel<'_> {
        Panel::guard(self)
    }

    /// Makes the extension's own request for these hosts (`http://old.localhost/*`) succeed on the click that asks.
    ///
    /// Chromium shows its question in a bubble that nothing but a hand can reach; the hosts must be allowed to it
    /// beforehand, on its page of extensions. They are still not granted before the click. Firefox answers by itself.
    pub fn grant(&self, hosts: &[&str]) {
        if self.kind == Kind::Firefox {
            return;
        }
        self.on_extensions_page(|| {
            let id = self.extension_shown_here();
            for host in hosts {
                ok(self.driver.run_async(
                    "const [id, host, done] = arguments;
                     chrome.developerPrivate.addHostPermission(id, host, () => done(null));",
                    &[json!(id), json!(host)],
                ));
            }
        });
    }

    /// Names both accounts on the desk and allows the extension to work on their servers, by the desk's own button.
    pub fn link(&self, old: &str, new: &str) {
        let before = self.tab();
        self.grant(&["http://old.localhost/*", "http://new.localhost/*"]);
        let desk = self.desk();
        desk.element("input#old").fill(old).expect("the old account can be typed");
        self.note_action("type the old account");
        desk.element("input#new").fill(new).expect("the new account can be typed");
        self.note_action("type the new account");
        desk.click_action("link");
        self.note_action("answer the browser's question");
        self.wait("the desk to take both accounts", || {
            let form = desk.all("input#old").ok()?;
            let gone = form.first().is_none_or(|field| !field.is_displayed().unwrap_or(false));
            gone.then_some(())
        });
        self.switch_to(&before);
    }

    /// Ends the extension's background, as the browser does when it has been idle for a while.
    pub fn stop_background(&self) {
        let workers = || {
            let targets = self.devtools("Target.getTargets", &json!({}));
            let targets = targets["targetInfos"].as_array().cloned().unwrap_or_default();
            targets.into_iter().filter(|target| target["type"] == "service_worker").collect::<Vec<_>>()
        };
        match self.kind {
            Kind::Chromium => {
                for worker in workers() {
                    self.devtools("Target.closeTarget", &json!({ "targetId": worker["targetId"] }));
                }
                self.wait("the background to end", || workers().is_empty().then_some(()));
            }
            Kind::Firefox => {
                let state = self.in_firefox_itself(
                    "const { extension } = WebExtensionPolicy.getByID('packed-trunk@extension');
                     return extension.terminateBackground().then(() => extension.backgroundState);",
                    &[],
                );
                assert_eq!(state, "stopped", "the background did not end");
            }
        }
    }

    /// Errors that pages, content scripts and the extension's background left behind, and calls of `console.error`.
    /// To be asked before [`Panel::axe`], whose own work leaves complaints of the page's policy.
    pub fn console_problems(&self) -> Vec<String> {
        match self.kind {
            Kind::Chromium => self.chromium_problems(),
            Kind::Firefox => self.firefox_problems(),
        }
    }

    /// Hosts outside of this machine that anything in the browser asked for, apart from the browser's own services.
    pub fn foreign_requests(&self) -> Vec<String> {
        self.proxy.foreign_hosts()
    }

    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    // ---- Mastodon

    /// Signs in on Mastodon's own form, in the current tab.
    pub fn sign_in(&self, server: &str, user: &str, password: &str) {
        self.open(&format!("{server}/auth/sign_in"));
        self.sign_in_here(user, password);
    }

    /// The same on the form that is shown already.
    pub fn sign_in_here(&self, user: &str, password: &str) {
        self.note_action("sign in");
        self.element("input[name='user[email]']").fill(user).expect("the name can be typed");
        self.element("input[name='user[password]']").fill(password).expect("the password can be typed");
        self.press("form button[type=submit], form input[type=submit]");
        self.wait("the page behind the sign-in", || {
            (!self.address().contains("/auth/sign_in")).then_some(())
        });
    }

    // ---- The page

    /// The first element of the document that matches, once there is one.
    pub fn element(&self, css: &str) -> Element {
        self.wait(&format!("{css} in {}", self.address()), || self.driver.one(css).ok())
    }

    /// Clicks the first element of the document that matches, once it can be clicked.
    pub fn click(&self, css: &str) {
        self.note_action(&format!("click {css}"));
        self.press(css);
    }

    fn press(&self, css: &str) {
        self.wait(&format!("{css} that can be clicked"), || self.driver.one(css).ok()?.click().ok());
    }

    /// Runs the body of a function in the page.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.driver.run(script, arguments).unwrap_or_else(|error| panic!("script failed: {error}\n{script}"))
    }

    /// Has a script (the body of a function) run in every page from now on, before anything of the page itself.
    pub fn run_before_every_page(&self, script: &str) {
        match self.kind {
            Kind::Chromium => {
                self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
            }
            Kind::Firefox => {
                let function = format!("() => {{ {script} }}");
                Socket::connect(&self.socket)
                    .command("script.addPreloadScript", &json!({ "functionDeclaration": function }));
            }
        }
    }

    /// Opens the address and returns how many milliseconds after `DOMContentLoaded` the guard had `data-ready`.
    ///
    /// Asked of [`WATCH_THE_GUARD`], which must have been given to [`Browser::run_before_every_page`]: nothing that
    /// polls from outside could tell to the millisecond.
    pub fn guard_ready_after(&self, address: &str) -> f64 {
        self.open(address);
        let times = self.wait("the guard to become ready", || {
            let found = self.run(
                "const ready = document.documentElement.getAttribute('data-ready-at');
                 const [page] = performance.getEntriesByType('navigation');
                 return ready && [Number(ready), page.domContentLoadedEventEnd];",
                &[],
            );
            Some((found[0].as_f64()?, found[1].as_f64()?))
        });
        (times.0 - times.1).max(0.0)
    }

    /// Moves the clock of the current page, of its own scripts too: in Firefox the scripts of tests have one of theirs.
    pub fn move_clock(&self, milliseconds: u64) {
        let script = format!("const real = Date.now; Date.now = () => real() + {milliseconds};");
        match self.kind {
            Kind::Chromium => {
                self.run(&script, &[]);
            }
            Kind::Firefox => {
                let Tab(context) = self.tab();
                Socket::connect(&self.socket).command(
                    "script.evaluate",
                    &json!({
                        "expression": format!("(() => {{ {script} }})()"),
                        "target": { "context": context },
                        "awaitPromise": false,
                    }),
                );
            }
        }
    }

    pub fn source(&self) -> String {
        text(&ok(self.driver.get("source")))
    }

    /// Waits until `look` finds something; panics with the name of what was missed.
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        wait(what, look)
    }

    /// A picture of the whole page as PNG, also of what one would have to scroll to.
    pub fn screenshot(&self, path: &Path) {
        let picture = match self.kind {
            Kind::Firefox => self.driver.get("moz/screenshot/full"),
            Kind::Chromium => self.chromium_screenshot(),
        };
        let bytes = BASE64_STANDARD.decode(text(&ok(picture))).expect("pictures come as base64");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("the folder of the picture can be made");
        }
        fs::write(path, bytes).unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    }

    /// The folder where downloads go.
    pub fn downloads(&self) -> &Path {
        self.downloads.path()
    }

    /// Waits for a finished download whose name ends so, and returns its path.
    pub fn downloaded(&self, ending: &str) -> PathBuf {
        self.wait(&format!("a download that ends with {ending}"), || {
            let names: Vec<PathBuf> =
                fs::read_dir(self.downloads()).ok()?.flatten().map(|entry| entry.path()).collect();
            let unfinished =
                |path: &PathBuf| path.extension().is_some_and(|e| e == "part" || e == "crdownload");
            if names.iter().any(unfinished) {
                return None;
            }
            // Firefox makes an empty file of the name first, and puts what it fetched in its place.
            let there = |path: &PathBuf| fs::metadata(path).is_ok_and(|about| about.len() > 0);
            names.into_iter().find(|path| path.to_string_lossy().ends_with(ending) && there(path))
        })
    }

    // ---- Inside

    /// Size, zoom and colours of the page, from now on. In Firefox the zoom is that of the start.
    pub fn emulate(&self, options: &Options) {
        let factor = if options.zoomed { 2 } else { 1 };
        match self.kind {
            Kind::Chromium => {
                let (width, height) = (options.width / factor, options.height / factor);
                self.devtools(
                    "Emulation.setDeviceMetricsOverride",
                    &json!({ "width": width, "height": height, "deviceScaleFactor": factor, "mobile": false }),
                );
                let scheme = if options.dark { "dark" } else { "light" };
                let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
                self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
            }
            Kind::Firefox => {
                // The window cannot be as narrow as a telephone, the pages in it can.
                let (width, height) = (options.width / factor, options.height / factor);
                let style = format!(
                    "browser[type=content] {{
                        min-width: {width}px !important; max-width: {width}px !important;
                        min-height: {height}px !important; max-height: {height}px !important;
                    }}"
                );
                self.in_firefox_itself(
                    // The last sheet counts, and each needs an address of its own.
                    "const style = `${arguments[0]} /* ${performance.now()} */`;
                     windowUtils.loadSheetUsingURIString(
                        `data:text/css,${encodeURIComponent(style)}`, windowUtils.AUTHOR_SHEET);
                     Services.prefs.setIntPref('layout.css.prefers-color-scheme.content-override', arguments[1]);",
                    &[json!(style), json!(if options.dark { 0 } else { 1 })],
                );
            }
        }
    }

    /// One command of Chromium's DevTools.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        ok(self.driver.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })))
    }

    /// Runs a script with the rights of Firefox itself.
    pub fn in_firefox_itself(&self, script: &str, arguments: &[Value]) -> Value {
        ok(self.driver.post("moz/context", &json!({ "context": "chrome" })));
        let result = self.driver.run(script, arguments);
        ok(self.driver.post("moz/context", &json!({ "context": "content" })));
        ok(result)
    }

    fn install_in_firefox(&self, extension: &Path) {
        ok(self.driver.post("moz/addon/install", &json!({ "path": extension, "temporary": true })));
    }

    /// Chromium keeps what goes wrong in an extension only when told to.
    fn collect_errors_in_chromium(&self) {
        self.on_extensions_page(|| {
            let id = self.extension_shown_here();
            assert!(
                !id.is_empty(),
                "Chromium did not load the extension: `./build.sh test --native` may tell why"
            );
            ok(self.driver.run_async(
                "const [id, done] = arguments;
                 const settings = { extensionId: id, errorCollection: true };
                 chrome.developerPrivate.updateProfileConfiguration({ inDeveloperMode: true }, () =>
                     chrome.developerPrivate.updateExtensionConfiguration(settings, () => done(null)));",
                &[json!(id)],
            ));
        });
    }

    fn chromium_extension(&self) -> String {
        self.on_extensions_page(|| self.extension_shown_here())
    }

    /// The id of the one extension that is installed; on Chromium's page of extensions.
    fn extension_shown_here(&self) -> String {
        let id = self.driver.run_async(
            "const [done] = arguments;
             chrome.developerPrivate.getExtensionsInfo({}, list =>
                 done(list.find(one => one.location === 'UNPACKED')?.id));",
            &[],
        );
        text(&ok(id))
    }

    fn on_extensions_page<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.tab();
        self.open_tab("chrome://extensions");
        let result = work();
        ok(self.driver.delete("window"));
        self.switch_to(&before);
        result
    }

    fn chromium_screenshot(&self) -> Result<Value, DriverError> {
        let size = self.run(
            "const e = document.documentElement;
             return [e.clientWidth, Math.max(e.scrollHeight, e.clientHeight)];",
            &[],
        );
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
        let picture = self.driver.post(
            "goog/cdp/execute",
            &json!({
                "cmd": "Page.captureScreenshot",
                "params": { "format": "png", "captureBeyondViewport": true, "clip": clip },
            }),
        )?;
        Ok(picture["data"].clone())
    }

    fn chromium_problems(&self) -> Vec<String> {
        let entries = ok(self.driver.post("se/log", &json!({ "type": "browser" })));
        let mut log = self.chromium_log.borrow_mut();
        for entry in entries.as_array().into_iter().flatten().filter(|entry| entry["level"] == "SEVERE") {
            let message = text(&entry["message"]);
            // An answer such as 404 is for whoever asked to judge, and no mistake by itself; Firefox does not list it.
            if !message.contains("Failed to load resource") {
                log.push(message);
            }
        }
        drop(log);
        // The background and mistakes in the manifest are not in that log but on the page of extensions.
        let own = self.on_extensions_page(|| {
            ok(self.driver.run_async(
                "const [done] = arguments;
                 chrome.developerPrivate.getExtensionsInfo({}, list => done(list.flatMap(one =>
                     [...one.manifestErrors, ...one.runtimeErrors].map(e => `${e.source}: ${e.message}`))));",
                &[],
            ))
        });
        let own = own.as_array().into_iter().flatten().map(text);
        self.chromium_log.borrow().iter().cloned().chain(own).collect()
    }

    fn firefox_problems(&self) -> Vec<String> {
        let found = self.in_firefox_itself(
            "return Services.console.getMessageArray()
                 .filter(m => m instanceof Ci.nsIScriptError && !(m.flags & Ci.nsIScriptError.warningFlag))
                 .filter(m => /^(moz-extension|https?|file):/.test(m.sourceName))
                 // Somebody left a page while an answer was on its way there: nobody can prevent that.
                 .filter(m => !/^Promise (rejected|resolved) (after context unloaded|while context is inactive)/.test(m.errorMessage))
                 .map(m => `${m.sourceName}:${m.lineNumber} ${m.errorMessage}`);",
            &[],
        );
        // Firefox's own list has everything that was thrown, also in the background; the tabs' calls of
        // `console.error` come by the socket, beside what was thrown in them.
        let mut problems: Vec<String> = found.as_array().into_iter().flatten().map(text).collect();
        let mut called = self.firefox_log.entries();
        called.retain(|entry| !problems.iter().any(|problem| problem.contains(entry.as_str())));
        problems.extend(called);
        problems
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Politely first: a profile that is used again must have been written to disk.
        let _ = self.driver.delete("");
        if !std::thread::panicking() {
            let _ = fs::remove_file(&self.printed);
        }
    }
}

/// A tab of the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab(String);

/// Waits until `look` finds something; panics with the name of what was missed.
pub fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited {} seconds in vain for {what}", PATIENCE.as_secs());
        sleep(Duration::from_millis(20));
    }
}

/// Saves what is to be seen after a scenario went wrong.
pub fn save_evidence(browser: &Browser, name: &str) {
    let folder = output_folder();
    let stem = format!("{name}-{}", browser.kind.name());
    browser.screenshot(&folder.join(format!("{stem}.png")));
    let _ = fs::write(folder.join(format!("{stem}.html")), browser.source());
    eprintln!("The page as it was: target/end-to-end/{stem}.png and .html");
    for problem in browser.console_problems() {
        eprintln!("console: {problem}");
    }
}

/// What both browsers need to know.
struct Setting<'a> {
    options: &'a Options,
    profile: &'a Path,
    downloads: &'a Path,
    proxy: u16,
}

/// A copy of what was built, beside the profile: another build may not pull the files away under a running browser.
fn built_extension(kind: Kind, profile: &Path) -> PathBuf {
    let folder = match kind {
        Kind::Chromium => "dist/chrome",
        Kind::Firefox => "dist/firefox",
    };
    let path = repository().join(folder);
    assert!(path.join("manifest.json").is_file(), "{folder} is missing: run ./build.sh first");
    // Chromium makes the extension's id out of this path, so it is the same for the same profile.
    let copy = profile.join("extension-under-test");
    copy_folder(&path, &copy).expect("what was built can be copied");
    copy
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let copy = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &copy)?;
        } else {
            fs::copy(entry.path(), copy)?;
        }
    }
    Ok(())
}

fn start_chromedriver(port: u16, log: &Path) -> Process {
    Process::start(&find_program(&["chromedriver"]), &[format!("--port={port}")], log)
}

fn start_geckodriver(port: u16, log: &Path) -> Process {
    // System access: the only way to the errors that an extension left in Firefox's console.
    // A port of its own for each Firefox's newer protocol too: the usual one can be had once.
    let arguments = [
        format!("--port={port}"),
        format!("--websocket-port={}", free_port()),
        "--allow-system-access".to_owned(),
    ];
    Process::start(&find_program(&["geckodriver"]), &arguments, log)
}

fn chromium(setting: &Setting<'_>, extension: &Path) -> Value {
    let options = setting.options;
    let mut arguments = vec![
        format!("--user-data-dir={}", setting.profile.display()),
        format!("--load-extension={}", extension.display()),
        "--disable-features=DisableLoadExtensionCommandLineSwitch,OptimizationHints,MediaRouter,Translate,AutofillServerCommunication,PasswordLeakDetection"
            .to_owned(),
        format!("--proxy-server=127.0.0.1:{}", setting.proxy),
        // Without this Chromium sends what is for this machine past the proxy.
        "--proxy-bypass-list=<-loopback>".to_owned(),
        format!("--window-size={},{}", options.width, options.height),
        "--lang=en".to_owned(),
    ];
    let switches = [
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "disable-dev-shm-usage",
        "no-first-run",
        "no-default-browser-check",
        "disable-background-networking",
        "disable-component-update",
        "disable-domain-reliability",
        "disable-sync",
        "metrics-recording-only",
        "disable-search-engine-choice-screen",
    ];
    arguments.extend(switches.map(|switch| format!("--{switch}")));
    if !options.visible {
        arguments.push("--headless=new".to_owned());
    }
    json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": find_program(&["chromium", "chromium-browser"]),
            // Without this the driver hides the tabs that show pages of the extension.
            "enableExtensionTargets": true,
            "args": arguments,
            "prefs": {
                "download.default_directory": setting.downloads,
                "download.prompt_for_download": false,
                "extensions.ui.developer_mode": true,
                "credentials_enable_service": false,
                "profile.password_manager_enabled": false,
                "profile.password_manager_leak_detection": false,
                "autofill.profile_enabled": false,
                "browser.enable_spellchecking": false,
                "safebrowsing.enabled": false,
            },
        },
    })
}

fn firefox(setting: &Setting<'_>) -> Value {
    let options = setting.options;
    let mut arguments = vec!["-profile".to_owned(), setting.profile.display().to_string()];
    if !options.visible {
        arguments.push("-headless".to_owned());
    }
    json!({
        "browserName": "firefox",
        "webSocketUrl": true,
        "moz:firefoxOptions": {
            "binary": find_program(&["firefox", "firefox-esr"]),
            "args": arguments,
            "prefs": firefox_preferences(setting),
        },
    })
}

fn firefox_preferences(setting: &Setting<'_>) -> BTreeMap<&'static str, Value> {
    let options = setting.options;
    let mut preferences = BTreeMap::from([
        // The extension's request for a permission succeeds on the click that asks, without a question.
        ("extensions.webextOptionalPermissionPrompts", json!(false)),
        // A temporary add-on keeps what it stored when the same profile is started again.
        ("extensions.webextensions.keepStorageOnUninstall", json!(true)),
        ("extensions.webextensions.keepUuidOnUninstall", json!(true)),
        ("layout.css.prefers-color-scheme.content-override", json!(if options.dark { 0 } else { 1 })),
        ("intl.accept_languages", json!("en")),
        ("signon.rememberSignons", json!(false)),
        ("browser.download.folderList", json!(2)),
        ("browser.download.dir", json!(setting.downloads)),
        ("browser.download.alwaysOpenPanel", json!(false)),
        (
            "browser.helperApps.neverAsk.saveToDisk",
            json!("application/zip,text/csv,text/html,application/json"),
        ),
        // Everything through the proxy, also what is for this machine.
        ("network.proxy.type", json!(1)),
        ("network.proxy.http", json!("127.0.0.1")),
        ("network.proxy.http_port", json!(setting.proxy)),
        ("network.proxy.ssl", json!("127.0.0.1")),
        ("network.proxy.ssl_port", json!(setting.proxy)),
        ("network.proxy.no_proxies_on", json!("")),
        ("network.proxy.allow_hijacking_localhost", json!(true)),
    ]);
    if options.zoomed {
        preferences.insert("layout.css.devPixelsPerPx", json!("2.0"));
    }
    // Firefox's own services, so that whatever the proxy sees is ours.
    for service in [
        "app.normandy.enabled",
        "browser.newtabpage.activity-stream.feeds.system.topstories",
        "browser.safebrowsing.blockedURIs.enabled",
        "browser.safebrowsing.downloads.enabled",
        "browser.safebrowsing.malware.enabled",
        "browser.safebrowsing.phishing.enabled",
        "browser.search.update",
        "datareporting.healthreport.uploadEnabled",
        "datareporting.policy.dataSubmissionEnabled",
        "dom.push.connection.enabled",
        "extensions.getAddons.cache.enabled",
        "extensions.systemAddon.update.enabled",
        "extensions.update.enabled",
        "media.gmp-manager.updateEnabled",
        "network.captive-portal-service.enabled",
        "network.connectivity-service.enabled",
        "network.trr.confirmation_telemetry_enabled",
        "toolkit.telemetry.enabled",
        "toolkit.telemetry.unified",
    ] {
        preferences.insert(service, json!(false));
    }
    preferences
}

fn wait_for_port(port: u16) {
    wait("the driver to listen", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
}

fn ok(answer: Result<Value, DriverError>) -> Value {
    answer.unwrap_or_else(|error| panic!("the browser refused: {error}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
