import { api, ApiError } from './api.js';
import { become, el } from './dom.js';
import * as pages from './pages.js';
import { Tools } from './tools.js';

const [main, nav, account, aside] = ['main', 'nav', 'account', 'tools'].map(id => document.getElementById(id));
let tools = null;
let turn = 0;

const routes = [
  [/^$/, pages.dashboard], [/^products$/, pages.products], [/^products\/([^/]+)$/, pages.product],
  [/^orders$/, pages.orders], [/^orders\/([^/]+)$/, pages.orderPage], [/^sessions$/, pages.sessions],
];

// An address that cannot be decoded leads to no page.
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ApiError(404, null);
  }
}

const signInUrl = () => '/bff/login?returnUrl=' + encodeURIComponent('/' + location.hash);

function welcome(code) {
  const expired = tools || code === 'session_expired';
  tools?.stop();
  tools = null;
  aside.hidden = nav.hidden = true;
  account.replaceChildren(el('a.button', { href: signInUrl() }, 'Sign in'));
  document.title = 'Norrland Outfitters';
  main.replaceChildren(el('section.hero', {}, el('div', {},
    expired ? el('p.notice', { role: 'status' }, 'Your session has ended. Sign in again to continue where you were.') : null,
    el('h1', {}, 'Things for long days outside'),
    el('p', {}, 'Your orders and our products on one page, which keeps working when a part of it fails.'),
    el('a.button.primary', { href: signInUrl() }, 'Sign in')),
  el('img', { src: '/hero.svg', alt: '', width: 640, height: 440 })));
}

function problem(error, again) {
  const missing = error.status === 404;
  document.title = missing ? 'Not found · Norrland' : 'Not available · Norrland';
  return el(missing ? 'section.card.trouble' : 'section.card.trouble.error', { role: 'alert' }, el('h1', {}, missing ? 'This page does not exist' : 'This page cannot be shown right now'),
    el('p', {}, missing ? 'It may have been removed, or its address was mistyped.'
      : error instanceof ApiError ? error.message : 'Something unexpected happened. Reload the page.'),
    error.requestId ? el('code.small', {}, `Request ${error.requestId}`) : null,
    missing ? el('a.button', { href: '#/' }, 'Go to the overview') : el('button', { onclick: again }, 'Try again'));
}

// Of two pages asked for shortly after each other the later one is shown, whichever answers first. A page may come in pieces: what is there
// is shown, and what is the same in the next one stays.
async function show(moved = false) {
  const mine = ++turn;
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  for (const link of nav.children) {
    const target = link.getAttribute('href').slice(2);
    if (target === path || (target !== '' && path.startsWith(target + '/'))) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  const placeholder = setTimeout(() => { if (mine === turn) main.replaceChildren(el('div.loading', { role: 'status', 'aria-label': 'Loading' }), el('div.loading')); }, 250);
  try {
    const [pattern, page] = routes.find(([candidate]) => candidate.test(path)) || [];
    if (!page) throw new ApiError(404, null);
    const asked = page(decoded(pattern.exec(path)[1] || ''), Object.fromEntries(new URLSearchParams(query)));
    let isShown = false;
    for await (const result of asked[Symbol.asyncIterator] ? asked : [asked]) {
      if (mine !== turn) return;
      clearTimeout(placeholder);
      const content = result.content.filter(Boolean);
      if (isShown) become(main, content);
      else main.replaceChildren(...content);
      if (moved && !isShown) main.focus({ preventScroll: true });
      isShown = true;
      document.title = `${result.title} · Norrland`;
      tools.show(result.timing, result.endpoint);
      main.dataset.page = path;
    }
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof ApiError && error.status === 401) welcome(error.code);
    else {
      main.replaceChildren(problem(error, () => show()));
      tools.show([]);
      if (moved) main.focus({ preventScroll: true });
    }
  } finally {
    clearTimeout(placeholder);
    if (mine === turn) main.dataset.page = path;
  }
}

async function start() {
  try {
    const { body: user } = await api('/bff/user');
    if (!user) return welcome();
    account.replaceChildren(el('span.who', {}, user.name || user.sub), el('a.button', { href: user.logoutUrl, id: 'sign-out' }, 'Sign out'));
    nav.hidden = aside.hidden = false;
    tools = new Tools(aside);
    tools.listen();
    await show();
  } catch (error) {
    if (error.status === 401) welcome(error.code);
    else main.replaceChildren(problem(error, start));
  }
}

window.addEventListener('hashchange', event => {
  if (!tools) return;
  const moved = event.newURL !== event.oldURL;
  if (moved) scrollTo(0, 0);
  show(moved);
});
// The hash is the router's: the skip link must not change it.
document.querySelector('.skip').addEventListener('click', event => { event.preventDefault(); main.focus(); });

start();
