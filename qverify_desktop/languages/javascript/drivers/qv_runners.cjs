"use strict";

async function runOwn() {}

module.exports = { runOwn };
