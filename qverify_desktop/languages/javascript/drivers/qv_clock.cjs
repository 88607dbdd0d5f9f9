// Another day than today, for a run that finds out whether an answer depends on the date. Nothing else of `Date` changes: what is
// made from arguments, its prototype and its name stay.
"use strict";

/** Let every reading of the clock be `seconds` later. */
function shift(seconds) {
  const Real = Date;
  const now = Real.now.bind(Real);
  const later = () => now() + seconds * 1000;
  const Shifted = new Proxy(Real, {
    apply: () => new Real(later()).toString(),
    construct: (target, given, caller) => Reflect.construct(target, given.length ? given : [later()], caller === Shifted ? target : caller),
    get: (target, key) => (key === "now" ? later : Reflect.get(target, key)),
  });
  Real.prototype.constructor = Shifted;
  globalThis.Date = Shifted;
}

module.exports = { shift };
