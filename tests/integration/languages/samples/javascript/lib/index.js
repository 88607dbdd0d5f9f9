"use strict";

module.exports = { ...require("./rates"), ...require("./labels") };
