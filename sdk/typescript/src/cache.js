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
var __spreadArray =
  (this && this.__spreadArray) ||
  function (to, from, pack) {
    if (pack || arguments.length === 2)
      for (var i = 0, l = from.length, ar; i < l; i++) {
        if (ar || !(i in from)) {
          if (!ar) ar = Array.prototype.slice.call(from, 0, i);
          ar[i] = from[i];
        }
      }
    return to.concat(ar || Array.prototype.slice.call(from));
  };
Object.defineProperty(exports, "__esModule", { value: true });
exports.createQueryCache = createQueryCache;
/** Keep answers close: the last value at once, the newest as soon as it is here. */
var errors_ts_1 = require("./errors.ts");
var EMPTY = Object.freeze({
  data: undefined,
  error: undefined,
  fetching: false,
  updatedAt: undefined,
});
var LONGEST_PAUSE_MS = 30000;
/** One path: its value, its readers and the one request that may be under way for it. */
var Entry = /** @class */ (function () {
  function Entry(path, load, now) {
    this.path = path;
    this.load = load;
    this.now = now;
    this.snapshot = EMPTY;
    this.readers = new Set();
    this.sent = false;
    this.again = false;
    this.failures = 0;
    this.abort = new AbortController();
  }
  Entry.prototype.staleAfter = function (ms) {
    var updatedAt = this.snapshot.updatedAt;
    return updatedAt === undefined || this.now() - updatedAt >= ms;
  };
  /** Join the request that is about to leave, or have another follow the one already sent. */
  Entry.prototype.refresh = function () {
    var _this = this;
    if (this.running !== undefined) {
      this.again || (this.again = this.sent);
      return this.running;
    }
    clearTimeout(this.retry);
    this.running = this.run().finally(function () {
      return (_this.running = undefined);
    });
    return this.running;
  };
  Entry.prototype.outdate = function () {
    if (this.snapshot.updatedAt !== undefined) this.put({ updatedAt: -Infinity });
  };
  Entry.prototype.close = function () {
    clearTimeout(this.retry);
    this.readers.clear();
    this.abort.abort();
  };
  Entry.prototype.run = function () {
    return __awaiter(this, void 0, void 0, function () {
      return __generator(this, function (_a) {
        switch (_a.label) {
          case 0:
            this.put({ fetching: true });
            _a.label = 1;
          case 1:
            this.again = this.sent = false;
            return [4 /*yield*/, Promise.resolve()];
          case 2:
            _a.sent();
            this.sent = true;
            return [4 /*yield*/, this.once()];
          case 3:
            _a.sent();
            _a.label = 4;
          case 4:
            if (this.again && !this.abort.signal.aborted) return [3 /*break*/, 1];
            _a.label = 5;
          case 5:
            this.put({ fetching: false });
            this.planRetry();
            return [2 /*return*/];
        }
      });
    });
  };
  Entry.prototype.once = function () {
    return __awaiter(this, void 0, void 0, function () {
      var signal, answer, data, cause_1;
      return __generator(this, function (_a) {
        switch (_a.label) {
          case 0:
            _a.trys.push([0, 2, , 3]);
            signal = this.abort.signal;
            return [4 /*yield*/, this.load(this.path, { etag: this.etag, signal: signal })];
          case 1:
            answer = _a.sent();
            if (answer.modified) this.etag = answer.etag;
            data = answer.modified ? answer.body : this.snapshot.data;
            this.failures = 0;
            this.put({ data: data, error: undefined, updatedAt: this.now() });
            return [3 /*break*/, 3];
          case 2:
            cause_1 = _a.sent();
            this.failures += 1;
            this.put({ error: cause_1 instanceof Error ? cause_1 : new Error(String(cause_1)) });
            return [3 /*break*/, 3];
          case 3:
            return [2 /*return*/];
        }
      });
    });
  };
  /** A page that is being read heals by itself: patiently, and no sooner than it was told. */
  Entry.prototype.planRetry = function () {
    var _this = this;
    var _a;
    var error = this.snapshot.error;
    if (!(error instanceof errors_ts_1.SdkHttpError) || !error.transient || this.readers.size === 0)
      return;
    var pause = Math.min(1000 * Math.pow(2, this.failures - 1), LONGEST_PAUSE_MS);
    var asked = ((_a = error.retryAfter) !== null && _a !== void 0 ? _a : 0) * 1000;
    this.retry = setTimeout(
      function () {
        if (_this.readers.size > 0) void _this.refresh();
      },
      Math.max(pause, asked),
    );
  };
  Entry.prototype.put = function (change) {
    if (this.abort.signal.aborted) return;
    this.snapshot = __assign(__assign({}, this.snapshot), change);
    for (var _i = 0, _a = __spreadArray([], this.readers, true); _i < _a.length; _i++) {
      var reader = _a[_i];
      reader();
    }
  };
  return Entry;
})();
/** Create a cache over *load*: stale-while-revalidate, ETag, one request per path at a time. */
function createQueryCache(load, options) {
  if (options === void 0) {
    options = {};
  }
  var _a = options.now,
    now = _a === void 0 ? Date.now : _a,
    _b = options.maxIdle,
    maxIdle = _b === void 0 ? 50 : _b;
  var entries = new Map();
  function entryFor(path) {
    var _a;
    var entry =
      (_a = entries.get(path)) !== null && _a !== void 0 ? _a : new Entry(path, load, now);
    entries.delete(path);
    entries.set(path, entry);
    return entry;
  }
  function dropIdle() {
    var idle = __spreadArray([], entries, true).filter(function (_a) {
      var entry = _a[1];
      return entry.readers.size === 0;
    });
    for (var _i = 0, _a = idle.slice(0, Math.max(0, idle.length - maxIdle)); _i < _a.length; _i++) {
      var _b = _a[_i],
        path = _b[0],
        entry = _b[1];
      entry.close();
      entries.delete(path);
    }
  }
  function query(path, _a) {
    var _b = _a === void 0 ? {} : _a,
      onChange = _b.onChange,
      _c = _b.freshFor,
      freshFor = _c === void 0 ? 0 : _c;
    var entry = entryFor(path);
    var reader = function () {
      return onChange === null || onChange === void 0 ? void 0 : onChange();
    };
    entry.readers.add(reader);
    if (entry.staleAfter(freshFor)) void entry.refresh();
    return {
      get snapshot() {
        return entry.snapshot;
      },
      refresh: function () {
        return entry.refresh();
      },
      dispose: function () {
        entry.readers.delete(reader);
        dropIdle();
      },
    };
  }
  function revalidate() {
    return __awaiter(this, arguments, void 0, function (matches) {
      var chosen, _i, chosen_1, entry, read;
      if (matches === void 0) {
        matches = function () {
          return true;
        };
      }
      return __generator(this, function (_a) {
        switch (_a.label) {
          case 0:
            chosen = __spreadArray([], entries, true)
              .filter(function (_a) {
                var path = _a[0];
                return matches(path);
              })
              .map(function (_a) {
                var entry = _a[1];
                return entry;
              });
            for (_i = 0, chosen_1 = chosen; _i < chosen_1.length; _i++) {
              entry = chosen_1[_i];
              if (entry.readers.size === 0) entry.outdate();
            }
            read = chosen.filter(function (entry) {
              return entry.readers.size > 0;
            });
            return [
              4 /*yield*/,
              Promise.all(
                read.map(function (entry) {
                  return entry.refresh();
                }),
              ),
            ];
          case 1:
            _a.sent();
            return [2 /*return*/];
        }
      });
    });
  }
  function clear() {
    for (var _i = 0, _a = entries.values(); _i < _a.length; _i++) {
      var entry = _a[_i];
      entry.close();
    }
    entries.clear();
  }
  return { query: query, revalidate: revalidate, clear: clear };
}
