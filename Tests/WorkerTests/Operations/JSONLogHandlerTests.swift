import Domain
import Foundation
import Logging
import Synchronization
import Testing

@testable import Operations

@Suite struct JSONLogHandlerTests {
  private final class Lines: Sendable {
    let all = Mutex<[[UInt8]]>([])
    func parsed() throws -> [[String: Any]] {
      try all.withLock { $0 }.map { try #require(try JSONSerialization.jsonObject(with: Data($0)) as? [String: Any]) }
    }
  }

  private static func logger(_ lines: Lines, level: Logger.Level = .trace) -> Logger {
    Logger(label: "test") { label in
      JSONLogHandler(label: label, levels: LogLevelSwitch(level)) { line in lines.all.withLock { $0.append(line) } }
    }
  }

  @Test func aLineIsOneObjectWithTimeLevelAndMessage() throws {
    let lines = Lines()
    Self.logger(lines).notice("order stored", metadata: ["order_id": "o-1", LogKey.count: .stringConvertible(3), "ok": .stringConvertible(true)])
    let line = try #require(try lines.parsed().first)
    #expect(line["level"] as? String == "notice")
    #expect(line["message"] as? String == "order stored")
    #expect(line["order_id"] as? String == "o-1")
    #expect(line["count"] as? Int == 3)
    #expect(line["ok"] as? Bool == true)
    let time = try #require(line["time"] as? String)
    #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
  }

  @Test func whatWouldBreakALineIsEscaped() throws {
    let lines = Lines()
    Self.logger(lines).info("a", metadata: ["x": "one\ntwo\t\"quoted\" \\ \u{1} ü\u{1F600}", "k\"ey": ["b": ["c", "d"]]])
    let bytes = lines.all.withLock { $0.first ?? [] }
    #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1 && bytes.last == UInt8(ascii: "\n"))
    let line = try #require(try lines.parsed().first)
    #expect(line["x"] as? String == "one\ntwo\t\"quoted\" \\ \u{1} ü\u{1F600}")
    #expect((line["k\"ey"] as? [String: [String]])?["b"] == ["c", "d"])
  }

  @Test func metadataOfTheCallBeatsThatOfTheLogger() throws {
    let lines = Lines()
    var logger = Self.logger(lines)
    logger[metadataKey: "a"] = "logger"
    logger[metadataKey: "b"] = "logger"
    logger.info("m", metadata: ["a": "call", "message": "not this"])
    let line = try #require(try lines.parsed().first)
    #expect(line["a"] as? String == "call")
    #expect(line["b"] as? String == "logger")
    #expect(line["message"] as? String == "m")
  }

  @Test func whatIsBelowTheLevelIsNotWritten() {
    let lines = Lines()
    let logger = Self.logger(lines, level: .warning)
    logger.info("no")
    logger.warning("yes")
    #expect(lines.all.withLock(\.count) == 1)
  }
}
