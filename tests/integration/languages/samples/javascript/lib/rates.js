"use strict";

const ZONES = { DE: 1, AT: 1, FR: 2, IT: 2 };

/**
 * The price zone of a country.
 *
 * @param {string} country two letters, any case
 * @returns {number} 1 to 3
 * @example
 * zoneOf("fr"); // => 2
 */
function zoneOf(country) {
  return ZONES[country.toUpperCase()] || 3;
}

/**
 * Steps of weight that a parcel takes, each begun one counts.
 *
 * @param {number} grams
 * @param {number} [step=500]
 * @returns {number}
 * @throws {RangeError} where the weight is negative
 * @example
 * weightSteps(1); // => 1
 * weightSteps(1200, 400); // => 3
 */
function weightSteps(grams, step = 500) {
  if (grams < 0) {
    throw new RangeError("A weight is not negative.");
  }
  return Math.floor(grams / step) + 1;
}

/**
 * Cheapest first, and by name where prices are equal. The list that is handed over stays as it is.
 *
 * @param {{name: string, price: number}[]} offers
 * @returns {{name: string, price: number}[]}
 */
function byPrice(offers) {
  return [...offers].sort((a, b) => a.price - b.price || (a.name < b.name ? -1 : 1));
}

module.exports = { zoneOf, weightSteps, byPrice };
