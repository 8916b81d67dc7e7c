// Starts the desk; everything on it is made in Rust (`src/web/desk.rs`).
fetch("packed_trunk_desk_bg.wasm")
  .then((reply) => reply.arrayBuffer())
  .then((bytes) => globalThis.packedTrunkGlue({ module_or_path: bytes }))
  .then(() => globalThis.packedTrunkGlue.desk())
  .catch(() => {
    document.body.textContent = chrome.i18n.getMessage("desk_would_not_start");
  });
