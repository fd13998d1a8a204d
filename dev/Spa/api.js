// The gateway's own address is this page's: the session is a cookie that no script can read, and no token ever comes here.
const headers = { 'X-CSRF': '1', Accept: 'application/json' };

export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `Status ${status}`);
    this.status = status;
    this.code = problem?.code;
    this.requestId = problem?.requestId;
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...options.headers }, credentials: 'same-origin' });
  } catch {
    throw new ApiError(0, { title: 'The gateway cannot be reached.' });
  }
  return response;
}

async function read(response) {
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* a problem without a document */ }
  if (!response.ok) throw new ApiError(response.status, body);
  return body;
}

export async function api(path, options = {}) {
  const response = await ask(path, options);
  return { body: await read(response), timing: parseTiming(response.headers.get('Server-Timing')) };
}

// The answer as it is after each of its lines: the first has what the page needs, the others bring the parts that came later.
export async function* progressive(path) {
  const response = await ask(path, { headers: { Accept: 'application/x-ndjson, application/json;q=0.9' } });
  if (!response.ok || !response.headers.get('Content-Type')?.startsWith('application/x-ndjson')) {
    yield await read(response);
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let answer, rest = '';
  try {
    for (let piece; !(piece = await reader.read()).done;) {
      const lines = (rest + piece.value).split('\n');
      rest = lines.pop();
      for (const line of lines) yield answer = answer === undefined ? JSON.parse(line) : patched(answer, JSON.parse(line));
    }
  } catch {
    // Cut off: what is still pending does not come any more.
  } finally {
    reader.cancel().catch(() => {}); // Who has left the page waits for nothing.
  }
  if (answer === undefined) throw new ApiError(0, { title: 'The gateway cannot be reached.' });
  if (answer._meta?.pending) yield withoutPending(answer);
}

// A JSON Merge Patch (RFC 7396), then the members that are null, which a patch cannot say.
function patched(answer, patch) {
  const result = merge(answer, patch);
  for (const pointer of result._meta?.nulls || []) {
    const names = pointer.slice(1).split('/').map(name => name.replaceAll('~1', '/').replaceAll('~0', '~'));
    names.slice(0, -1).reduce((at, name) => at[name], result)[names.at(-1)] = null;
  }
  return result;
}

const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value);

function merge(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

function withoutPending({ _meta: { pending, ...meta }, ...answer }) {
  const failed = pending.map(part => [part, { status: 'failed', latencyMs: 0, ageSeconds: 0 }]);
  return { ...answer, _meta: { ...meta, sections: { ...meta.sections, ...Object.fromEntries(failed) } } };
}

// name;dur=12.3;desc="live", total;dur=41.0
export function parseTiming(header) {
  return (header || '').split(',').map(item => {
    const [name, ...rest] = item.trim().split(';');
    const values = Object.fromEntries(rest.map(pair => pair.split('=').map(text => text.trim().replace(/^"|"$/g, ''))));
    return { name, duration: Number(values.dur) || 0, status: values.desc || '' };
  }).filter(part => part.name);
}
