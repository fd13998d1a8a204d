import { api } from './api.js';
import { action, again, el } from './dom.js';

// Parts that begin only when another is there, so that their bars begin where its bar ends.
const after = { products: { pricing: 'products', inventory: 'products' }, order: { customer: 'order', products: 'order', shipping: 'order' } };
const services = ['pricing', 'inventory', 'reviews', 'recommendations', 'orders', 'notifications', 'shipping', 'products', 'users'];
const modes = { heal: 'Healthy', slow: 'Slow', error: 'Failing', hang: 'Silent' };
const bodies = { slow: { mode: 'delay', delayMs: 1500 }, error: { mode: 'status', status: 500 }, hang: { mode: 'hang' } };

export class Tools {
  constructor(root) {
    this.root = root;
    this.broken = JSON.parse(sessionStorage.getItem('broken') || '{}');
    this.timing = el('section.card');
    this.faults = el('section.card');
    this.log = el('ul.events', { 'aria-live': 'polite' });
    this.connection = el('span.badge.cached', { id: 'connection' }, 'connecting');
    root.replaceChildren(this.timing, this.faults,
      el('section.card', {}, el('header', {}, el('h2', {}, 'Live events'), this.connection), this.log));
    this.drawFaults();
    this.log.append(el('li.muted', {}, 'Nothing has happened yet.'));
  }

  show(timing, endpoint) {
    const total = timing.find(part => part.name === 'total');
    this.timing.hidden = !total;
    if (!total) return;
    const parts = timing.filter(part => part !== total);
    const ends = {};
    const scale = Math.max(total.duration, 1);
    const lane = (part, start) => el(`li.${part.status || 'total'}`, {},
      el('span', {}, part.name), el('span.num.muted', {}, ['', 'live'].includes(part.status) ? '' : `${part.status} · `, `${part.duration.toFixed(part.duration < 10 ? 1 : 0)} ms`),
      el('span.lane', {}, el('i', { style: { left: `${Math.min(99, 100 * start / scale)}%`, width: `${Math.min(100 - 100 * start / scale, 100 * part.duration / scale)}%` } })));
    const rows = parts.map(part => {
      const start = ends[after[endpoint]?.[part.name]] || 0;
      ends[part.name] = start + part.duration;
      return lane(part, start);
    });
    this.timing.replaceChildren(el('header', {}, el('h2', {}, 'Server timing')), el('ul.waterfall', {}, rows, lane(total, 0)));
  }

  drawFaults() {
    const select = el('select', { 'aria-label': 'Service' }, services.map(name =>
      el('option', { value: name, selected: name === this.selected }, this.broken[name] ? `${name} (${modes[this.broken[name]].toLowerCase()})` : name)));
    select.addEventListener('change', () => {
      this.selected = select.value;
      this.drawFaults();
      this.faults.querySelector('select').focus(); // The old one is gone, and the keyboard's place with it.
    });
    this.selected = select.value;
    const now = this.broken[this.selected] || 'heal';
    this.faults.replaceChildren(
      el('header', {}, el('h2', {}, 'Break a service')),
      el('div.faults', {}, el('label', {}, 'Service', select),
        el('div.choices', { role: 'group', 'aria-label': 'Behaviour' }, Object.entries(modes).map(([mode, label]) =>
          action('button', { 'aria-pressed': String(mode === now), 'data-mode': mode }, label, () => this.break(this.selected, mode)))),
        el('p.small.muted', {}, 'Then watch how the page works without it.')));
  }

  async break(service, mode) {
    const path = `/api/dev/faults?service=${service === 'products' ? 'catalog' : service}`;
    await (mode === 'heal'
      ? api(path, { method: 'DELETE' })
      : api(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(bodies[mode]) }));
    if (mode === 'heal') delete this.broken[service];
    else this.broken[service] = mode;
    sessionStorage.setItem('broken', JSON.stringify(this.broken));
    const isLeft = document.activeElement !== document.body && !this.faults.contains(document.activeElement);
    this.drawFaults();
    if (!isLeft) this.faults.querySelector(`[data-mode=${mode}]`).focus();
    again();
  }

  listen() {
    if (this.source) return;
    this.source = new EventSource('/api/events');
    this.source.onopen = () => this.state('live', 'connected');
    this.source.onerror = () => {
      const closed = this.source.readyState === EventSource.CLOSED;
      this.state(closed ? 'failed' : 'stale', closed ? 'closed' : 'reconnecting');
      if (closed) again(); // As a rule the session has ended.
    };
    const show = event => this.add(event.type, event.data, event.lastEventId);
    this.source.onmessage = show;
    for (const type of ['order.placed', 'order.updated', 'order.shipped', 'order.delivered', 'order.cancelled', 'notification.created', 'pricing.updated', 'inventory.updated', 'reset'])
      this.source.addEventListener(type, show);
  }

  stop() {
    this.source?.close();
    this.source = null;
  }

  state(status, text) {
    this.connection.className = `badge ${status}`;
    this.connection.textContent = text;
  }

  add(type, data, id) {
    if (this.log.firstChild?.className === 'muted') this.log.replaceChildren();
    this.log.prepend(el('li', { 'data-event': id }, el('b', {}, type), el('div', {}, el('code', {}, data))));
    while (this.log.children.length > 30) this.log.lastChild.remove();
  }
}
