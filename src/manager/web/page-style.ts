/** The pages' style sheet: readable on a telephone, in the dark, and without colours. */
export const styleSheet = `
:root { color-scheme: light dark; --line: #8884; --accent: #0b5fff; }
@media (prefers-color-scheme: dark) { :root { --accent: #7aa7ff; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 70rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0 1rem; }
a { color: var(--accent); }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
thead th, time { white-space: nowrap; }
tbody th { min-width: 7rem; }
small { opacity: 0.8; }
.phase { display: inline-block; padding: 0 0.5rem; border: 1px solid currentColor; border-radius: 1rem; font-size: 0.875rem; white-space: nowrap; }
.ready { color: #14803c; } .failed { color: #c0271d; } .deploying, .waiting { color: #8a5a00; }
@media (prefers-color-scheme: dark) {
  .ready { color: #57d787; } .failed { color: #ff8f86; } .deploying, .waiting { color: #f0bf5f; }
}
.banner { padding: 0.75rem 1rem; border: 2px solid #c0271d; border-radius: 0.5rem; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  tbody th, td { display: block; border: 0; padding: 0.125rem 0; }
  td::before { content: attr(data-label) ": "; opacity: 0.7; }
}
`;
