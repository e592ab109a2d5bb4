//! The page a browser gets: what relay this is, how to connect, which NIPs it speaks.

use crate::labels::Label;
use crate::nips::supported;
use crate::relay::Relay;

/// The page.
pub(super) fn page(relay: &Relay) -> String {
    let about = &relay.settings.about;
    let name = escape(&relay.labels.or(Label::Name, &about.name));
    let url = about.url.as_deref().map_or_else(
        || "<code>ws://</code> or <code>wss://</code> and the address of this page".to_owned(),
        |url| format!("<code>{}</code>", escape(url)),
    );
    let contact =
        about.contact.as_deref().map(|contact| format!("<p>Contact: {}</p>", escape(contact)));
    let nips: String = supported(relay.spoken())
        .map(|nip| {
            let (number, title) = (nip.number, nip.title);
            format!(
                "<li data-nip=\"{number}\"><a href=\"https://github.com/nostr-protocol/nips/blob/master/{number:02}.md\">NIP-{number:02}</a> {title}</li>"
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{name}</title>\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;\
         color-scheme:light dark}}code{{font-size:1.1em}}ul{{columns:2;padding-left:1.2rem}}</style></head>\
         <body><h1>{name}</h1><p>{description}</p>\
         <p>This is a <a href=\"https://nostr.com\">Nostr</a> relay. To use it, add {url} to the relays of your client.</p>\
         {contact}<h2>What it speaks</h2><ul>{nips}</ul>\
         <p><small>ORLY {version}</small></p></body></html>\n",
        description = escape(&relay.labels.or(Label::Description, &about.description)),
        contact = contact.unwrap_or_default(),
        version = env!("CARGO_PKG_VERSION"),
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
