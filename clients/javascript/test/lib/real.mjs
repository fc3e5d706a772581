// real - the daemon, and clients of it that tell what happens to them.
import WebSocket from 'ws';
import { Client } from 'xsockets';
export { start } from '../../../../tests/scenarios/lib/daemon.mjs';
export { story } from '../../../../tests/scenarios/lib/story.mjs';

export { WebSocket };

/** A client that takes part in a story: it is closed at the end, and its events are the transcript. */
export function join(s, url, options = {}) {
  const told = [];
  const timers = new Set();
  const client = new Client(url, {
    WebSocket,
    store: false,
    reconnect: { base: 20, cap: 100 },
    ...options,
    platform: {
      // The real ones, counted.
      setTimeout: (run, ms) => {
        const timer = setTimeout(() => { timers.delete(timer); run(); }, ms);
        timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => { timers.delete(timer); clearTimeout(timer); },
      ...options.platform,
    },
  });
  for (const type of ['open', 'close', 'reconnecting', 'gap', 'statechange', 'error', 'message'])
    client.addEventListener(type, ({ detail }) => told.push({ type, ...detail }));
  s.join({
    transcript: () => `[client ${client.state}]\n${told.map((event) => `  ${JSON.stringify(event)}`).join('\n')}`,
    async end() {
      await client.close();
      if (timers.size > 0) throw new Error(`${timers.size} timers were left behind`);
    },
  });
  return Object.assign(client, { told, timers });
}

/** Where clients of this daemon go. */
export const urlOf = (daemon) => `ws://127.0.0.1:${daemon.port}`;

/** The next event of a client or a controller, its detail; of those that satisfy. */
export function next(target, type, satisfies = () => true) {
  return new Promise((resolve) => {
    target.addEventListener(type, function listener({ detail }) {
      if (!satisfies(detail)) return;
      target.removeEventListener(type, listener);
      resolve(detail);
    });
  });
}
