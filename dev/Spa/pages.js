import { api, progressive } from './api.js';
import { action, again, badge, card, coming, day, el, missing, money, picture, poster, time } from './dom.js';

const degraded = meta => Object.entries(meta?.sections || {}).filter(([, part]) => !['live', 'cached', 'skipped'].includes(part.status));
const notice = meta => degraded(meta).length
  ? el('p.notice', { role: 'status' }, `Some parts of this page are degraded: ${degraded(meta).map(([name]) => name).join(', ')}. The rest is complete.`)
  : null;

const orderRow = order => el('li', {},
  picture(order.items[0]?.productImageUrl),
  el('div.grow', {},
    el('a', { href: `#/orders/${order.id}` }, el('b', {}, order.items[0]?.productName || order.id)),
    el('div.small.muted', {}, `${day(order.placedAt)} · `, el('span.status', {}, order.status), order.items.length > 1 ? ` · ${order.items.length}\u00a0lines` : '')),
  el('span.num', {}, money(order.totalAmount, order.currency)));

const orderRows = orders => orders.length ? el('ul.rows', {}, orders.map(orderRow)) : el('p.muted', {}, 'No orders yet.');

const tiles = (picks, none) => picks.length ? el('div.tiles', {}, picks.map(pickTile)) : el('p.muted', {}, none);

const pickTile = pick => el('a.tile', { href: `#/products/${pick.productId}` },
  el('figure', {}, picture(pick.imageUrl)), el('b', {}, pick.name), el('span.small.muted.num', {}, money(pick.price, pick.currency)));

// How long each part took that is there: Server-Timing knows only those of the first line.
const timingOf = meta => [
  ...Object.entries(meta.sections).filter(([, part]) => part.status !== 'skipped').map(([name, part]) => ({ name, duration: part.latencyMs, status: part.status })),
  { name: 'total', duration: meta.totalLatencyMs, status: '' },
];

// What a part is until it is there; null once it is, or has failed.
const waiting = (meta, part) => meta.pending?.includes(part) ? coming() : null;

export async function* dashboard() {
  for await (const body of progressive('/api/dashboard')) yield dashboardOf(body);
}

function dashboardOf(body) {
  const parts = body._meta.sections;
  const wait = part => waiting(body._meta, part);
  return {
    timing: timingOf(body._meta), endpoint: 'dashboard', title: 'Overview',
    content: [
      el('h1', {}, `Good to see you, ${body.user.name.split(' ')[0]}`),
      notice(body._meta),
      el('div.grid', {},
        card('Orders', parts.orders, wait('orders') || (body.recentOrders
          ? orderRows(body.recentOrders) : missing('Your orders cannot be shown right now.'))),
        card('Notifications', parts.notifications, wait('notifications') || (body.notifications
          ? el('ul.rows', {}, body.notifications.items.length
            ? body.notifications.items.slice(0, 4).map(note => el('li', {},
              el('div.grow', {}, el('b', {}, note.title), el('div.small.muted', {}, note.body || day(note.createdAt))),
              action('button.quiet', { 'aria-label': `Mark read: ${note.title}` }, 'Mark read', button => read(note.id, button))))
            : el('li.muted', {}, 'Nothing new.'))
          : missing('Notifications cannot be shown right now.')))),
      card('Recommendations', parts.recommendations, wait('recommendations') || (body.recommendations
        ? tiles(body.recommendations, 'Nothing to recommend yet.') : missing('Nothing to recommend right now.'))),
    ],
  };
}

async function read(id, button) {
  await api(`/api/notifications/${encodeURIComponent(id)}/read`, { method: 'POST' });
  button.textContent = 'Read';
}

export async function products(_, query) {
  const { body, timing } = await api('/api/products?' + new URLSearchParams({ limit: '12', ...(query.cursor && { cursor: query.cursor }) }));
  return {
    timing, endpoint: 'products', title: 'Products',
    content: [
      el('h1', {}, 'Products'), notice(body._meta),
      el('div.tiles', {}, body.items.map(item => el('a.tile', { href: `#/products/${item.id}` },
        el('figure', {}, picture(item.imageUrl)), el('b', {}, item.name),
        el('span.small.muted.num', {}, item.price === null ? 'Price not available' : money(item.price, item.currency),
          item.inStock === false ? ' · sold out' : '')))),
      body.hasMore ? el('p', {}, el('a.button', { href: `#/products?cursor=${body.nextCursor}` }, 'More products')) : null,
    ],
  };
}

export async function* product(id) {
  for await (const body of progressive(`/api/products/${encodeURIComponent(id)}`)) yield productOf(body);
}

function productOf(body) {
  const { product: item, pricing, inventory, reviews, related } = body;
  const parts = body._meta.sections;
  const wait = part => waiting(body._meta, part);
  const isKnown = !wait('pricing') && !wait('inventory');
  return {
    timing: timingOf(body._meta), endpoint: 'product', title: item.name,
    content: [
      notice(body._meta),
      el('div.product', {},
        el('div.frame', {}, poster(item.imageUrl, item.name)),
        el('div.facts', {},
          el('p.small.muted', {}, [item.brand, item.category].filter(Boolean).join(' · ')),
          el('h1', {}, item.name),
          el('div.pair', {},
            card('Price', parts.pricing, wait('pricing') || (pricing
              ? el('p.price.num', {}, money(pricing.current, pricing.currency), pricing.discount ? el('span.small.muted', {}, ` −${pricing.discount.percentage} %`) : null)
              : missing('The price is not available right now.'))),
            card('Stock', parts.inventory, wait('inventory') || (inventory
              ? el('p', {}, el('b', {}, inventory.inStock ? 'In stock' : 'Sold out'), el('div.small.muted.num', {}, `${inventory.quantity} pieces`))
              : missing('Stock is not known right now.')))),
          el('div', {}, action('button.primary', { disabled: !pricing || !inventory?.inStock }, 'Order one', () => order(item.id, pricing.currency)),
            (pricing && inventory) || !isKnown ? null : el('p.small.muted', {}, 'You can order it again when its price and stock are available.')),
          el('p', {}, (item.description || '').split('. ').slice(0, 3).join('. ') + '.'),
          el('dl.attributes', {}, Object.entries(item.attributes).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])))),
      card('Reviews', parts.reviews, ...(wait('reviews') ? [coming()] : reviews ? [
        el('p', {}, el('span.stars', { 'aria-hidden': 'true' }, stars(reviews.summary.average)), ` ${reviews.summary.average.toFixed(1)} of 5 `,
          el('span.muted.small', {}, `from ${reviews.summary.count} reviews`)),
        el('div.histogram', {}, [5, 4, 3, 2, 1].map(n => {
          const count = reviews.summary.histogram?.[n] || 0;
          return el('div', {}, el('span', {}, String(n)), el('span.track', {}, el('i', { style: { width: `${100 * count / Math.max(1, reviews.summary.count)}%` } })), el('span.num', {}, String(count)));
        })),
        el('ul.rows', {}, reviews.items.slice(0, 3).map(review => el('li', {}, el('div.grow', {},
          el('b', {}, review.title || ''), el('div.small', {}, review.body || ''),
          el('div.small.muted', {}, `${review.author?.name || 'Somebody'} · ${day(review.createdAt)}`))))),
      ] : [missing('Reviews cannot be shown right now.')])),
      card('Related', parts.related,
        wait('related') || (related ? tiles(related, 'No related products.') : missing('Related products cannot be shown right now.'))),
    ],
  };
}

const stars = average => '★'.repeat(Math.round(average)) + '☆'.repeat(5 - Math.round(average));

async function order(productId, currency) {
  const { body } = await api('/api/orders', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ currency, items: [{ productId, quantity: 1 }] }),
  });
  location.hash = `#/orders/${body.id}`;
}

export async function orders(_, query) {
  const { body, timing } = await api('/api/orders?' + new URLSearchParams({ limit: '10', ...(query.cursor && { cursor: query.cursor }) }));
  return {
    timing, endpoint: 'orders', title: 'Orders',
    content: [
      el('h1', {}, 'Orders'), el('section.card', {}, orderRows(body.items)),
      body.hasMore ? el('p', {}, el('a.button', { href: `#/orders?cursor=${body.nextCursor}` }, 'Older orders')) : null,
    ],
  };
}

export async function orderPage(id) {
  const { body, timing } = await api(`/api/orders/${encodeURIComponent(id)}`);
  const parts = body._meta.sections;
  return {
    timing, endpoint: 'order', title: `Order ${body.order.id}`,
    content: [
      el('h1', {}, `Order ${body.order.id}`), notice(body._meta),
      el('p.muted', {}, `${day(body.order.placedAt)} · `, el('span.status', {}, body.order.status), ` · ${money(body.order.totalAmount, body.order.currency)}`),
      el('div.grid', {},
        card('Items', parts.products, el('ul.rows', {}, body.items.map(line => el('li', {}, picture(line.product.imageUrl),
          el('div.grow', {}, el('a', { href: `#/products/${line.product.id}` }, line.product.name || line.product.id),
            el('div.small.muted.num', {}, `${line.quantity} × ${money(line.unitPrice, body.order.currency)}`)))))),
        card('Delivery', parts.shipping, body.shipping
          ? el('dl.attributes', {}, ...pairs({ Carrier: body.shipping.carrier, Number: body.shipping.trackingNumber, Status: body.shipping.status, Expected: body.shipping.estimatedDelivery && day(body.shipping.estimatedDelivery) }))
          : missing(parts.shipping.status === 'skipped' ? 'Not sent yet.' : 'Tracking is not available right now.')),
        card('Customer', parts.customer, body.customer ? el('p', {}, body.customer.name, el('div.small.muted', {}, body.customer.email || '')) : missing('The customer cannot be shown right now.'))),
    ],
  };
}

const pairs = values => Object.entries(values).filter(([, value]) => value).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]);

export async function sessions() {
  const { body } = await api('/bff/sessions');
  const end = path => async () => {
    await api(path, { method: 'DELETE' });
    again();
  };
  return {
    timing: [], endpoint: '', title: 'Sessions',
    content: [
      el('h1', {}, 'Where you are signed in'),
      el('section.card', {}, el('ul.rows', {}, body.items.map(item => el('li', {},
        el('div.grow', {}, el('b', {}, item.device), el('div.small.muted', {}, `Since ${time(item.created)}`, el('br'), `Last seen ${time(item.lastSeen)}`)),
        item.current ? el('span.badge', {}, 'this browser') : action('button', { 'aria-label': `End ${item.device}, since ${time(item.created)}` }, 'End', end(`/bff/sessions/${encodeURIComponent(item.id)}`)))))),
      body.items.length > 1 ? el('p', {}, action('button', {}, 'End all others', end('/bff/sessions'))) : null,
    ],
  };
}
