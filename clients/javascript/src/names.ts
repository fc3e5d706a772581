// names - controllers and topics: ASCII letters are folded, all others compared as they are.

export function fold(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function isFilter(topic: string): boolean {
  return /[+#]/.test(topic);
}

/** `+` is one level, `#` at the end all that follow and the level above. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  for (let i = 0; i < wanted.length; i++) {
    if (wanted[i] === '#') return true;
    if (i === levels.length) return false;
    if (wanted[i] !== '+' && wanted[i] !== levels[i]) return false;
    if (i === levels.length - 1 && i === wanted.length - 2 && wanted[i + 1] === '#') return true;
  }
  return wanted.length === levels.length;
}

/** Ids are lower case with hyphens; anything else is none. */
export function isGuid(id: unknown): id is string {
  return typeof id === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id);
}
