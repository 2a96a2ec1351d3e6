import { describe, expect, it } from "vitest";
import { lifeSpan, longDate } from "./dates";

describe("the dates of a life", () => {
  it("are the same day in every time zone", () => {
    expect(longDate("1931-04-02", "en-GB")).toBe("2 April 1931");
    expect(longDate("1931-04-02", "sv-SE")).toBe("2 april 1931");
  });

  it("are told as far as they are known", () => {
    const birthDate = "1931-04-02";
    const passingDate = "2019-11-08";
    expect(lifeSpan({ birthDate, passingDate }, "en-GB")).toBe("2 April 1931 – 8 November 2019");
    expect(lifeSpan({ birthDate, passingDate: null }, "en-GB")).toBe("Born 2 April 1931");
    expect(lifeSpan({ passingDate }, "en-GB")).toBe("Passed away 8 November 2019");
    expect(lifeSpan({}, "en-GB")).toBe("");
  });

  it("that are none are shown as they are written", () => {
    expect(longDate("about 1931", "en-GB")).toBe("about 1931");
  });
});
