"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.withQuery =
  exports.createHttp =
  exports.SdkHttpError =
  exports.RemoteError =
  exports.createQueryCache =
    void 0;
/** @mosaiclife/plugin-sdk: what the interface of a plugin uses of Mosaic Life. No framework in here. */
var cache_ts_1 = require("./cache.ts");
Object.defineProperty(exports, "createQueryCache", {
  enumerable: true,
  get: function () {
    return cache_ts_1.createQueryCache;
  },
});
var errors_ts_1 = require("./errors.ts");
Object.defineProperty(exports, "RemoteError", {
  enumerable: true,
  get: function () {
    return errors_ts_1.RemoteError;
  },
});
Object.defineProperty(exports, "SdkHttpError", {
  enumerable: true,
  get: function () {
    return errors_ts_1.SdkHttpError;
  },
});
var http_ts_1 = require("./http.ts");
Object.defineProperty(exports, "createHttp", {
  enumerable: true,
  get: function () {
    return http_ts_1.createHttp;
  },
});
Object.defineProperty(exports, "withQuery", {
  enumerable: true,
  get: function () {
    return http_ts_1.withQuery;
  },
});
