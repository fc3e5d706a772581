// event - a plain event with a detail; CustomEvent is not everywhere.

export class XSocketsEvent<D> extends Event {
  readonly detail: D;

  constructor(type: string, detail: D) {
    super(type);
    this.detail = detail;
  }
}
