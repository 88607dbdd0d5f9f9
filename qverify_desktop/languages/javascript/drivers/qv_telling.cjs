// How a worker tells its supervisor: lines over descriptor 3, each behind a word that only the two know. The word is read
// before any code of the repository runs and is out of its reach afterwards, so a test can't speak for another one.
"use strict";

const fs = require("node:fs");

const write = fs.writeSync;
const stringify = JSON.stringify;
const from = Buffer.from;

/** The request that the supervisor wrote, and the function that tells. The file is gone afterwards. */
function asked(file) {
  const { word, request } = JSON.parse(fs.readFileSync(file, "utf8"));
  fs.rmSync(file, { force: true });
  const tell = (record) => {
    const data = from(`${word} ${stringify(record)}\n`);
    for (let at = 0; at < data.length; ) {
      try {
        at += write(3, data, at);
      } catch (error) {
        if (error.code !== "EAGAIN") throw error;
      }
    }
  };
  return { request, tell };
}

module.exports = { asked };
