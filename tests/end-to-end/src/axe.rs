//! Accessibility rules, checked by axe-core.
//!
//! axe does not look into closed shadow roots: to a page they are not there. WebDriver can hand ours to a script,
//! though, and axe only ever asks an element for its `shadowRoot`. So for the time of the check, and only as the
//! script sees it, the host gets a property of that name. From there on axe does all of its work in the real page
//! with the real styles: colour contrast, names, roles, ids.
//!
//! In Firefox axe leaves the contrast of a text open where its letters are a fraction of a pixel taller than the box
//! with its background. Chromium's boxes contain them, so there is one browser that answers for each text.

use std::{fs, sync::OnceLock};

use serde_json::{Value, json};

use crate::{browser::Browser, process::repository};

/// A rule that is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: String,
    pub impact: String,
    pub help: String,
    /// The elements, each as its source text.
    pub elements: Vec<String>,
}

/// `root` is an element or a shadow root, as an argument for a script.
pub(crate) fn run(browser: &Browser, root: &Value) -> Vec<Violation> {
    // The source of axe is part of the script: that needs no leave of the page's policy and stays out of the page.
    let script = format!(
        "const [root, done] = arguments;
         {}
         const host = root instanceof ShadowRoot ? root.host : null;
         if (host) Object.defineProperty(host, 'shadowRoot', {{ value: root, configurable: true }});
         axe.run(host ?? root, {{ resultTypes: ['violations'] }})
            .then(({{ violations, passes }}) => ({{ violations, passed: passes.length }}),
                  error => ({{ failed: String(error) }}))
            .then(result => {{ if (host) delete host.shadowRoot; done(result); }});",
        source()
    );
    let result = browser.driver().run_async(&script, std::slice::from_ref(root));
    let result = result.unwrap_or_else(|error| panic!("axe did not run: {error}"));
    if let Some(error) = result["failed"].as_str() {
        panic!("axe did not run: {error}");
    }
    // No rule at all that applies would mean that axe saw nothing.
    assert_ne!(result["passed"], json!(0), "axe found nothing to check");
    result["violations"].as_array().into_iter().flatten().map(violation).collect()
}

fn violation(found: &Value) -> Violation {
    let field = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    let nodes = found["nodes"].as_array().into_iter().flatten();
    let elements = nodes.map(|node| node["html"].as_str().unwrap_or_default().to_owned()).collect();
    Violation { rule: field("id"), impact: field("impact"), help: field("help"), elements }
}

fn source() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let path = repository().join("node_modules/axe-core/axe.min.js");
        fs::read_to_string(&path).expect("axe-core is installed: ./build.sh build does that")
    })
}
