"use strict";
var __assign =
  (this && this.__assign) ||
  function () {
    __assign =
      Object.assign ||
      function (t) {
        for (var s, i = 1, n = arguments.length; i < n; i++) {
          s = arguments[i];
          for (var p in s) if (Object.prototype.hasOwnProperty.call(s, p)) t[p] = s[p];
        }
        return t;
      };
    return __assign.apply(this, arguments);
  };
var __awaiter =
  (this && this.__awaiter) ||
  function (thisArg, _arguments, P, generator) {
    function adopt(value) {
      return value instanceof P
        ? value
        : new P(function (resolve) {
            resolve(value);
          });
    }
    return new (P || (P = Promise))(function (resolve, reject) {
      function fulfilled(value) {
        try {
          step(generator.next(value));
        } catch (e) {
          reject(e);
        }
      }
      function rejected(value) {
        try {
          step(generator["throw"](value));
        } catch (e) {
          reject(e);
        }
      }
      function step(result) {
        result.done ? resolve(result.value) : adopt(result.value).then(fulfilled, rejected);
      }
      step((generator = generator.apply(thisArg, _arguments || [])).next());
    });
  };
var __generator =
  (this && this.__generator) ||
  function (thisArg, body) {
    var _ = {
        label: 0,
        sent: function () {
          if (t[0] & 1) throw t[1];
          return t[1];
        },
        trys: [],
        ops: [],
      },
      f,
      y,
      t,
      g = Object.create((typeof Iterator === "function" ? Iterator : Object).prototype);
    return (
      (g.next = verb(0)),
      (g["throw"] = verb(1)),
      (g["return"] = verb(2)),
      typeof Symbol === "function" &&
        (g[Symbol.iterator] = function () {
          return this;
        }),
      g
    );
    function verb(n) {
      return function (v) {
        return step([n, v]);
      };
    }
    function step(op) {
      if (f) throw new TypeError("Generator is already executing.");
      while ((g && ((g = 0), op[0] && (_ = 0)), _))
        try {
          if (
            ((f = 1),
            y &&
              (t =
                op[0] & 2
                  ? y["return"]
                  : op[0]
                    ? y["throw"] || ((t = y["return"]) && t.call(y), 0)
                    : y.next) &&
              !(t = t.call(y, op[1])).done)
          )
            return t;
          if (((y = 0), t)) op = [op[0] & 2, t.value];
          switch (op[0]) {
            case 0:
            case 1:
              t = op;
              break;
            case 4:
              _.label++;
              return { value: op[1], done: false };
            case 5:
              _.label++;
              y = op[1];
              op = [0];
              continue;
            case 7:
              op = _.ops.pop();
              _.trys.pop();
              continue;
            default:
              if (
                !((t = _.trys), (t = t.length > 0 && t[t.length - 1])) &&
                (op[0] === 6 || op[0] === 2)
              ) {
                _ = 0;
                continue;
              }
              if (op[0] === 3 && (!t || (op[1] > t[0] && op[1] < t[3]))) {
                _.label = op[1];
                break;
              }
              if (op[0] === 6 && _.label < t[1]) {
                _.label = t[1];
                t = op;
                break;
              }
              if (t && _.label < t[2]) {
                _.label = t[2];
                _.ops.push(op);
                break;
              }
              if (t[2]) _.ops.pop();
              _.trys.pop();
              continue;
          }
          op = body.call(thisArg, _);
        } catch (e) {
          op = [6, e];
          y = 0;
        } finally {
          f = t = 0;
        }
      if (op[0] & 5) throw op[1];
      return { value: op[0] ? op[1] : void 0, done: true };
    }
  };
Object.defineProperty(exports, "__esModule", { value: true });
exports.createHttp = createHttp;
exports.withQuery = withQuery;
var errors_ts_1 = require("./errors.ts");
var DEFAULT_TIMEOUT_MS = 15000;
/** Create a client for the paths below *base*. */
function createHttp(options) {
  var _a;
  var base = options.base,
    _b = options.timeoutMs,
    timeoutMs = _b === void 0 ? DEFAULT_TIMEOUT_MS : _b;
  var send =
    (_a = options.fetch) !== null && _a !== void 0
      ? _a
      : function (input, init) {
          return globalThis.fetch(input, init);
        };
  function exchange(path, ask) {
    return __awaiter(this, void 0, void 0, function () {
      var url, limit, response, cause_1;
      var _a;
      var _b;
      return __generator(this, function (_c) {
        switch (_c.label) {
          case 0:
            url = base + checkedPath(path);
            limit = deadline(
              (_b = ask.timeoutMs) !== null && _b !== void 0 ? _b : timeoutMs,
              ask.signal,
            );
            _c.label = 1;
          case 1:
            _c.trys.push([1, 4, 5, 6]);
            return [
              4 /*yield*/,
              send(url, __assign(__assign({}, requestInit(ask)), { signal: limit.signal })),
            ];
          case 2:
            response = _c.sent();
            _a = { response: response };
            return [4 /*yield*/, response.text()];
          case 3:
            return [2 /*return*/, ((_a.text = _c.sent()), _a)];
          case 4:
            cause_1 = _c.sent();
            throw noAnswer(cause_1, limit.expired(), ask.signal);
          case 5:
            limit.clear();
            return [7 /*endfinally*/];
          case 6:
            return [2 /*return*/];
        }
      });
    });
  }
  function request(path_1) {
    return __awaiter(this, arguments, void 0, function (path, ask) {
      var _a;
      if (ask === void 0) {
        ask = {};
      }
      return __generator(this, function (_b) {
        switch (_b.label) {
          case 0:
            _a = bodyOf;
            return [4 /*yield*/, exchange(path, ask)];
          case 1:
            return [2 /*return*/, _a.apply(void 0, [_b.sent()])];
        }
      });
    });
  }
  function conditional(path_1, _a) {
    return __awaiter(this, arguments, void 0, function (path, _b) {
      var headers, answer, tag;
      var _c;
      var etag = _b.etag,
        signal = _b.signal;
      return __generator(this, function (_d) {
        switch (_d.label) {
          case 0:
            headers = etag === undefined ? {} : { "if-none-match": etag };
            return [4 /*yield*/, exchange(path, { headers: headers, signal: signal })];
          case 1:
            answer = _d.sent();
            if (answer.response.status === 304) return [2 /*return*/, { modified: false }];
            tag =
              (_c = answer.response.headers.get("etag")) !== null && _c !== void 0 ? _c : undefined;
            return [2 /*return*/, { modified: true, body: bodyOf(answer), etag: tag }];
        }
      });
    });
  }
  return {
    get: function (path) {
      return request(path);
    },
    request: request,
    conditional: conditional,
  };
}
/** Append *parameters* to *path*, encoded; empty ones are left out and lists repeat their key. */
function withQuery(path, parameters) {
  var query = new URLSearchParams();
  for (var _i = 0, _a = Object.entries(parameters); _i < _a.length; _i++) {
    var _b = _a[_i],
      key = _b[0],
      value = _b[1];
    for (var _c = 0, _d = listOf(value); _c < _d.length; _c++) {
      var item = _d[_c];
      query.append(key, String(item));
    }
  }
  var text = query.toString();
  if (text === "") return path;
  return path + (path.includes("?") ? "&" : "?") + text;
}
function listOf(value) {
  if (value === null || value === undefined) return [];
  return typeof value === "object" ? value : [value];
}
/** Keep a path below its base: a plugin talks to its own backend and to nothing else. */
function checkedPath(path) {
  var _a = path.split("?", 1)[0],
    name = _a === void 0 ? "" : _a;
  var climbs = /(^|\/|%2f)(\.|%2e){1,2}($|\/|%2f)/i.test(name);
  if (!path.startsWith("/") || path.startsWith("//") || /[\\#\s]/.test(path) || climbs) {
    throw new TypeError('"'.concat(path, '" is not a path of the plugin; it begins with one "/"'));
  }
  return path;
}
function requestInit(_a) {
  var _b;
  var _c = _a.method,
    method = _c === void 0 ? "GET" : _c,
    body = _a.body,
    headers = _a.headers;
  var all = __assign({ accept: "application/json" }, headers);
  var init = { method: method, headers: all, credentials: "same-origin" };
  if (body === undefined) return init;
  (_b = all["content-type"]) !== null && _b !== void 0
    ? _b
    : (all["content-type"] = "application/json");
  return __assign(__assign({}, init), { body: JSON.stringify(body) });
}
/** A signal that ends when the caller's does or when *ms* have passed. */
function deadline(ms, outer) {
  var inner = new AbortController();
  var expired = false;
  var timer = setTimeout(function () {
    expired = true;
    inner.abort();
  }, ms);
  var forward = function () {
    return inner.abort(outer === null || outer === void 0 ? void 0 : outer.reason);
  };
  if (outer === null || outer === void 0 ? void 0 : outer.aborted) forward();
  outer === null || outer === void 0
    ? void 0
    : outer.addEventListener("abort", forward, { once: true });
  return {
    signal: inner.signal,
    expired: function () {
      return expired;
    },
    clear: function () {
      clearTimeout(timer);
      outer === null || outer === void 0 ? void 0 : outer.removeEventListener("abort", forward);
    },
  };
}
/** Say what stood between us and an answer. The caller's own abort stays the caller's. */
function noAnswer(cause, expired, outer) {
  if (outer === null || outer === void 0 ? void 0 : outer.aborted) return outer.reason;
  var failure = expired
    ? { status: 0, code: "TIMEOUT", message: "No answer arrived in time." }
    : { status: 0, code: "UNREACHABLE", message: "The server could not be reached." };
  return new errors_ts_1.SdkHttpError(failure, { cause: cause });
}
function bodyOf(_a) {
  var _b;
  var response = _a.response,
    text = _a.text;
  if (!response.ok) throw refusal(response, text);
  if (text === "") return undefined;
  var body = parsed(text);
  if (body === undefined) {
    throw new errors_ts_1.SdkHttpError({
      status: response.status,
      code: "MALFORMED_RESPONSE",
      message: "The answer could not be read.",
      requestId:
        (_b = response.headers.get("x-request-id")) !== null && _b !== void 0 ? _b : undefined,
    });
  }
  return body;
}
/** Parse JSON; undefined, which JSON cannot say, stands for what is none. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (_a) {
    return undefined;
  }
}
/** Read the one error shape; what does not have it still becomes an error of the same kind. */
function refusal(response, text) {
  var _a;
  var status = response.status,
    headers = response.headers;
  var said = record(record(parsed(text))["error"]);
  return new errors_ts_1.SdkHttpError({
    status: status,
    code: textOr(said["code"], "HTTP_".concat(status)),
    message: textOr(said["message"], "The server answered with status ".concat(status, ".")),
    details: Array.isArray(said["details"]) ? said["details"].filter(isDetail) : [],
    requestId:
      textOr(
        said["requestId"],
        (_a = headers.get("x-request-id")) !== null && _a !== void 0 ? _a : "",
      ) || undefined,
    retryAfter: retryAfter(headers.get("retry-after")),
  });
}
function record(value) {
  return typeof value === "object" && value !== null ? value : {};
}
function textOr(value, otherwise) {
  return typeof value === "string" && value !== "" ? value : otherwise;
}
function isDetail(value) {
  return typeof record(value)["message"] === "string";
}
/** Seconds from now, from either form of the header. */
function retryAfter(header) {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header);
  var date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
