"use strict";

/**
 * A name as it stands on a label: each word begins with a capital.
 *
 * >>> properName("grace hopper")
 * "Grace Hopper"
 * >>> properName("")
 * ""
 */
const properName = (name) =>
  name
    .split(" ")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join(" ");

/** The line of an address; places without a city have only the name. */
const label = (name, place = {}) => {
  if (!place.city) {
    return properName(name);
  }
  return `${properName(name)}, ${place.city}`;
};

/**
 * One of the counters that are open, drawn by chance so that none of them is crowded.
 *
 * drawn(2) => 1
 */
function drawn(counters) {
  return 1 + Math.floor(Math.random() * counters);
}

module.exports = { properName, label, drawn };
