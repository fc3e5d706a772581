// deadlines - moments on a clock that never goes back, all behind one timer.
//
// A page in the background gets its timers late, after a freeze by hours. So nothing counts ticks:
// whenever the timer comes, what is due by the clock runs. A timer that comes very late says
// that the page stood still, and that what came meanwhile still waits in the event queue: it is
// let in first.
import type { Platform } from './types.js';

const LATE = 1000;
const GRACE = 50;
const LONGEST = 0x7fffffff;

interface Deadline {
  at: number;
  run: (() => void) | undefined;
}

export class Deadlines {
  readonly #platform: Platform;
  #list: Deadline[] = []; // by time; cancelled ones stay for a while, but never in front
  #live = 0;
  #timer: unknown;
  #due = Infinity; // when the timer should come
  #graced = false;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /** Runs it once, `ms` from now. Gives the function that cancels. */
  in(ms: number, run: () => void): () => void {
    const deadline: Deadline = { at: this.#platform.now() + ms, run };
    let place = this.#list.length;
    while (place > 0 && this.#list[place - 1]!.at > deadline.at) place--;
    this.#list.splice(place, 0, deadline);
    this.#live++;
    this.#arm();
    return () => {
      if (!deadline.run) return;
      deadline.run = undefined;
      this.#live--;
      this.#sweep();
      this.#arm();
    };
  }

  #sweep(): void {
    while (this.#list.length > 0 && !this.#list[0]!.run) this.#list.shift();
    if (this.#list.length > 2 * this.#live) this.#list = this.#list.filter((deadline) => deadline.run);
  }

  #arm(): void {
    const due = this.#list[0]?.at ?? Infinity;
    if (due === this.#due) return;
    // An earlier timer than needed does no harm, as long as there is something to wait for.
    if (this.#timer !== undefined && due < Infinity && due > this.#due) return;
    this.#set(due);
  }

  #set(due: number, grace = 0): void {
    if (this.#timer !== undefined) this.#platform.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = due;
    this.#graced = grace > 0;
    if (due === Infinity) return;
    const ms = Math.max(Math.ceil(due - this.#platform.now()), grace);
    this.#timer = this.#platform.setTimeout(() => this.#come(), Math.min(ms, LONGEST));
  }

  #come(): void {
    const now = this.#platform.now();
    const due = this.#due;
    const late = now - due > LATE && !this.#graced;
    this.#timer = undefined;
    this.#due = Infinity;
    if (late) return this.#set(due, GRACE);
    while (this.#list.length > 0 && this.#list[0]!.at <= now) {
      const deadline = this.#list[0]!;
      const { run } = deadline;
      deadline.run = undefined;
      this.#live--;
      this.#sweep();
      run!();
    }
    this.#arm();
  }
}
