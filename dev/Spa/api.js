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

export async function api(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...options.headers }, credentials: 'same-origin' });
  } catch {
    throw new ApiError(0, { title: 'The gateway cannot be reached.' });
  }
  const text = await response.text();
  let body = null;
  try { body = text ? JSON.parse(text) : null; } catch { /* a problem without a document */ }
  if (!response.ok) throw new ApiError(response.status, body);
  return { body, timing: parseTiming(response.headers.get('Server-Timing')) };
}

// name;dur=12.3;desc="live", total;dur=41.0
export function parseTiming(header) {
  return (header || '').split(',').map(item => {
    const [name, ...rest] = item.trim().split(';');
    const values = Object.fromEntries(rest.map(pair => pair.split('=').map(text => text.trim().replace(/^"|"$/g, ''))));
    return { name, duration: Number(values.dur) || 0, status: values.desc || '' };
  }).filter(part => part.name);
}
