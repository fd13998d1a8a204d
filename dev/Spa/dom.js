// Elements from data; text is always text.
export function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(' ');
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else if (key === 'style') Object.assign(element.style, value);
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const money = (amount, currency) => new Intl.NumberFormat(undefined, { style: 'currency', currency }).format(amount);
export const day = text => new Date(text).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
export const time = text => new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
export const picture = (url, alt = '') => url && url.startsWith('/') ? el('img', { src: url.replace('/large/', '/thumb/'), alt, loading: 'lazy' }) : null;
export const poster = (url, alt = '') => url && url.startsWith('/') ? el('img', { src: url, alt }) : null;

const words = {
  failed: 'not available', timeout: 'too slow', unavailable: 'switched off', stale: 'older data', fallback: 'stand-in', cached: 'kept', live: 'live', skipped: 'not asked',
};
export const badge = section => section
  ? el(`span.badge.${section.status}`, { title: `${section.latencyMs} ms`, 'data-status': section.status },
    words[section.status] + (section.ageSeconds > 0 ? `, ${section.ageSeconds} s` : ''))
  : null;
export const card = (title, section, ...content) => el('section.card', { 'data-part': title.toLowerCase() }, el('header', {}, el('h2', {}, title), badge(section)), ...content);
export const coming = () => el('div.coming', { role: 'status', 'aria-label': 'Loading' });

// Makes the children of an element those of another: what is the same stays, with its focus and what it listens to.
export function become(parent, next) {
  for (let i = 0; i < next.length; i++) {
    const [was, now] = [parent.childNodes[i], next[i]];
    if (!was) parent.append(now);
    else if (was.isEqualNode(now)) continue;
    else if (was.nodeType === 1 && was.children.length && was.cloneNode().isEqualNode(now.cloneNode())) become(was, [...now.childNodes]);
    else was.replaceWith(now);
  }
  while (parent.childNodes.length > next.length) parent.lastChild.remove();
}

export const missing = text => el('p.missing', {}, text);

// Shows the page anew.
export const again = () => window.dispatchEvent(new HashChangeEvent('hashchange'));

// A button whose work is the gateway's: off meanwhile, and what went wrong is said beside it.
export const action = (tag, attributes, label, work) => el(tag, {
  ...attributes,
  onclick: async ({ currentTarget: button }) => {
    button.disabled = true;
    if (button.nextElementSibling?.role === 'alert') button.nextElementSibling.remove();
    try {
      await work(button);
    } catch (error) {
      if (error.status === 401) return again();
      button.disabled = false;
      if (document.activeElement === document.body) button.focus(); // It lost the focus while it was off.
      button.after(el('span.small.bad', { role: 'alert' }, error.message));
    }
  },
}, label);
