// platform - what the client takes from where it runs. Nothing is touched before it is needed.
import type { Platform, Store } from './types.js';

interface Surroundings {
  addEventListener?: unknown;
  document?: Platform['document'];
  window?: { localStorage?: Storage };
}

const here = (): Surroundings => globalThis as Surroundings;

const usual: Platform = {
  now: () => performance.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
  random: () => Math.random(),
  get window() {
    return typeof here().addEventListener === 'function' ? (globalThis as Platform['window']) : undefined;
  },
  get document() {
    return here().document;
  },
};

export function platformOf(given: Partial<Platform> = {}): Platform {
  return Object.create(usual, Object.getOwnPropertyDescriptors(given)) as Platform;
}

/** localStorage, where the original clients keep the id too, under the same key. It may be
 * forbidden or full: then the id lives as long as the client. */
export function localStore(): Store {
  const attempt = <T>(use: (storage: Storage) => T): T | undefined => {
    try {
      const storage = here().window?.localStorage;
      return storage ? use(storage) : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    get: (key) => attempt((storage) => storage.getItem(key)),
    set: (key, id) => attempt((storage) => storage.setItem(key, id)),
  };
}
