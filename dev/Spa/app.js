import { api, ApiError } from './api.js';
import { el } from './dom.js';
import * as pages from './pages.js';
import { Tools } from './tools.js';

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const account = document.getElementById('account');
const aside = document.getElementById('tools');
let tools = null;
let turn = 0;

const routes = [
  [/^$/, pages.dashboard], [/^products$/, pages.products], [/^products\/([^/]+)$/, pages.product],
  [/^orders$/, pages.orders], [/^orders\/([^/]+)$/, pages.orderPage], [/^sessions$/, pages.sessions],
];

const signInUrl = () => '/bff/login?returnUrl=' + encodeURIComponent('/' + location.hash);

function welcome(expired) {
  tools?.stop();
  tools = null;
  aside.hidden = nav.hidden = true;
  account.replaceChildren(el('a.button.primary', { href: signInUrl() }, 'Sign in'));
  document.title = 'Norrland Outfitters';
  main.replaceChildren(el('section.hero', {}, el('div', {},
    expired ? el('p.notice', { role: 'status' }, 'Your session has ended. Sign in again to go on where you were.') : null,
    el('h1', {}, 'Things for long days outside'),
    el('p', {}, 'Your orders, our products and what happens to both, on one page that goes on when a part of it does not.'),
    el('a.button.primary', { href: signInUrl() }, 'Sign in')),
  el('img', { src: '/hero.svg', alt: '', width: 640, height: 440 })));
}

function problem(error) {
  return el('section.error', { role: 'alert' }, el('b', {}, error.status === 404 ? 'This page does not exist' : 'This page cannot be shown right now'),
    el('p', {}, error.message), error.requestId ? el('code.small', {}, `request ${error.requestId}`) : null,
    el('button', { onclick: show }, 'Try again'));
}

async function show() {
  const mine = ++turn;
  const [path, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [pattern, page] = routes.find(([candidate]) => candidate.test(path)) || routes[0];
  for (const link of nav.children) {
    const target = link.getAttribute('href').slice(2);
    link.toggleAttribute('aria-current', target === path || (target !== '' && path.startsWith(target + '/')));
  }
  const patience = setTimeout(() => { if (mine === turn) main.replaceChildren(el('div.loading', { 'aria-label': 'Loading' }), el('div.loading')); }, 250);
  try {
    const result = await page(...(pattern.exec(path)?.slice(1).map(decodeURIComponent) || []), ...(pattern.source.includes('(') ? [] : [null]), Object.fromEntries(new URLSearchParams(query)));
    if (mine !== turn) return;
    main.replaceChildren(...result.content.filter(Boolean));
    document.title = `${result.title} · Norrland`;
    tools.show(result.timing, result.endpoint);
  } catch (error) {
    if (mine !== turn) return;
    if (error instanceof ApiError && error.status === 401) welcome(error.code === 'session_expired');
    else main.replaceChildren(problem(error));
  } finally {
    clearTimeout(patience);
  }
}

async function start() {
  try {
    const { body: user } = await api('/bff/user');
    account.replaceChildren(el('span.who', {}, user.name || user.sub), el('a.button', { href: user.logoutUrl, id: 'sign-out' }, 'Sign out'));
    nav.hidden = aside.hidden = false;
    tools = new Tools(aside);
    tools.listen();
    await show();
    window.addEventListener('hashchange', () => { if (tools) { scrollTo(0, 0); show(); } });
  } catch (error) {
    if (error.status === 401) welcome(error.code === 'session_expired');
    else main.replaceChildren(problem(error));
  }
}

start();
