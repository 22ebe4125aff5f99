// Keeps an open page true: when the server says that something changed, the sections marked data-live are taken from
// a fresh copy of the page. Forms are outside of them, so nothing that is being typed is lost.
const project = document.body.dataset.project;

function openDetails(section) {
  return [...section.querySelectorAll('details')].map((details) => details.open);
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const section of document.querySelectorAll('[data-live]')) {
    const next = fresh.querySelector(`[data-live="${section.dataset.live}"]`);
    if (next === null || next.innerHTML === section.innerHTML) continue;
    const open = openDetails(section);
    section.replaceChildren(...next.childNodes);
    section.querySelectorAll('details').forEach((details, at) => {
      details.open = open[at] ?? details.open;
    });
  }
}

let running = Promise.resolve();
function refreshSoon() {
  running = running.then(refresh, refresh);
}

if (project !== undefined) {
  const events = new EventSource(`/-/sandbox/events?project=${project}`);
  events.addEventListener('changed', refreshSoon);
  // Something may have changed after the page was made and before the server was listened to.
  events.addEventListener('open', refreshSoon);
}

for (const select of document.querySelectorAll('select[data-submit]')) {
  select.addEventListener('change', () => select.form.requestSubmit());
}

for (const form of document.querySelectorAll('form[data-files]')) {
  const path = form.elements.namedItem('path');
  const content = form.elements.namedItem('content');
  path?.addEventListener('change', async () => {
    const url = new URL(form.dataset.files, location.href);
    url.searchParams.set('path', path.value);
    const answer = await fetch(url);
    content.value = answer.ok ? await answer.text() : '';
  });
}
