/** The pages' style sheet: readable on a telephone, in the dark, and without colours. */
export const styleSheet = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: #0b5fff; --good: #14803c; --bad: #c0271d; --busy: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --accent: #7aa7ff; --good: #57d787; --bad: #ff8f86; --busy: #f0bf5f; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
nav { font-size: 0.875rem; }
nav a::before { content: "← "; }
h1 { font-size: 1.5rem; margin: 0.5rem 0 1rem; }
h2 { font-size: 1.125rem; margin: 1.75rem 0 0.5rem; }
a { color: var(--accent); }
a.open { margin-left: 0.5rem; font-weight: normal; font-size: 0.875rem; }
a.button { display: inline-block; padding: 0.375rem 0.875rem; border: 1px solid var(--accent); border-radius: 0.5rem; text-decoration: none; }
a.button:hover, a.button:focus-visible { background: var(--soft); text-decoration: underline; }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; }
pre { margin: 0.5rem 0; padding: 0.75rem; max-height: 24rem; overflow: auto; white-space: pre-wrap; background: var(--soft); border-radius: 0.375rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th, time { white-space: nowrap; }
thead th { font-size: 0.875rem; opacity: 0.8; }
tbody th { min-width: 7rem; }
small { opacity: 0.8; }
.members tbody th { font-weight: normal; }
.members small { display: block; }
.none { opacity: 0.6; }
.sha { white-space: nowrap; }
.phase { display: inline-block; padding: 0 0.5rem; border: 1px solid currentColor; border-radius: 1rem; font-size: 0.875rem; font-weight: normal; vertical-align: middle; white-space: nowrap; }
.phase.ready { color: var(--good); } .phase.failed { color: var(--bad); } .phase.deploying, .phase.waiting { color: var(--busy); }
.state { padding: 0.25rem 1rem; margin: 0 0 1rem; border-left: 0.25rem solid var(--line); background: var(--soft); border-radius: 0 0.5rem 0.5rem 0; }
.state > p { margin: 0.5rem 0; }
.state h2 { font-size: 1rem; margin: 1rem 0 0.25rem; }
.state.ready { border-color: var(--good); } .state.failed { border-color: var(--bad); } .state.deploying, .state.waiting { border-color: var(--busy); }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 0.75rem 1.5rem; margin: 0.5rem 0; }
dt { font-size: 0.875rem; opacity: 0.8; }
dd { margin: 0; }
.history { list-style: none; margin: 0; padding: 0; }
.history li { display: grid; grid-template-columns: 11.5rem 1fr; gap: 0 1rem; padding: 0.375rem 0; border-bottom: 1px solid var(--line); }
.history time { opacity: 0.8; font-size: 0.875rem; line-height: 1.7; }
.history .detail { display: block; opacity: 0.85; font-size: 0.875rem; }
.banner { padding: 0.75rem 1rem; border: 2px solid #c0271d; border-radius: 0.5rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  tbody th, td { display: block; border: 0; padding: 0.125rem 0; }
  td::before { content: attr(data-label) ": "; opacity: 0.7; }
  dl { gap: 0.25rem; }
  dl > div { display: grid; grid-template-columns: 7rem 1fr; }
  .history li { grid-template-columns: 1fr; }
}
`;
