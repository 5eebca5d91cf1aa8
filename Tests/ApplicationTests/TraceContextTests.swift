import Application
import Domain
import Testing

@Suite struct TraceContextTests {
  private static let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

  @Test func whatIsReadIsWrittenAsItWas() throws {
    let context = try #require(TraceContext(Self.text))
    #expect(context.trace == UUIDValue(high: 0x0AF7_6519_16CD_43DD, low: 0x8448_EB21_1C80_319C) && context.span == 0xB7AD_6B71_6920_3331)
    #expect(context.isSampled && context.traceparent == Self.text && context.traceID == "0af7651916cd43dd8448eb211c80319c")
  }

  /// Flags but the first are none of ours, and a later version's first 55 characters mean the same.
  @Test(arguments: [("00", "00", false), ("00", "01", true), ("00", "fe", false), ("00", "ff", true), ("cc", "01", true)])
  func theFirstFlagSaysWhetherItIsSampled(version: String, flags: String, isSampled: Bool) throws {
    let context = try #require(TraceContext(version + Self.text.dropFirst(2).dropLast(2) + flags))
    #expect(context.isSampled == isSampled)
  }

  @Test(arguments: [
    "", "00", text.uppercased(), String(text.dropLast()), text + "-", "ff" + text.dropFirst(2), text.replacing("-", with: "_"),
    "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
    "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", "0x" + text.dropFirst(2), String(repeating: "é", count: 27) + "0",
  ]) func whatIsNoContextIsNotTaken(text: String) { #expect(TraceContext(text) == nil) }

  @Test func aFollowingSpanIsOfTheSameTraceAndNotTheSame() throws {
    let context = try #require(TraceContext(Self.text))
    let next = context.following()
    #expect(next.trace == context.trace && next.span != context.span && next.span != 0)
    #expect(TraceContext.random() != TraceContext.random())
  }

  @Test func anEventsSpanFollowsFromItsId() throws {
    let id = UUIDValue(high: 1, low: 0x8000_0000_0000_0002)
    let trace = try #require(EventTrace(of: id, after: Self.text))
    #expect(trace.context.traceparent == "00-0af7651916cd43dd8448eb211c80319c-8000000000000002-01" && trace.parent == 0xB7AD_6B71_6920_3331)
    #expect(EventTrace(of: id, after: nil) == nil && EventTrace(of: id, after: Self.text.dropLast() + "0") == nil)
  }

  /// Of seconds, and of the milliseconds that some clients write.
  @Test(arguments: [(UInt64?.none, Duration?.none), (0, nil), (990, .seconds(10)), (1_001, .zero), (999_000_000_000_000, nil)])
  func aMessagesAgeGoesByItsSendersTime(timestamp: UInt64?, age: Duration?) {
    let message = Message(exchange: "", routingKey: "", timestamp: timestamp, body: [])
    #expect(message.age(at: Timestamp(microseconds: 1_000_000_000)) == age)
  }

  @Test func millisecondsAreTakenForWhatTheyAre() {
    let message = Message(exchange: "", routingKey: "", timestamp: 1_795_716_364_491, body: [])
    #expect(message.age(at: Timestamp(microseconds: 1_795_716_366_491_000)) == .seconds(2))
  }
}
