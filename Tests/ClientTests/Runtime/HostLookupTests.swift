import ClientRuntime
import TestSupport
import Testing

@Suite struct HostLookupTests {
  @Test func addressesNeedNobodyToBeAsked() {
    let lookup = HostLookup { _ in .failure("asked") }
    for address in ["127.0.0.1", "::1"] { #expect(lookup.addresses(of: address, until: .soon) == .addresses([address])) }
  }

  @Test func theSystemKnowsThisMachineAndSaysWhatItDoesNotKnow() {
    guard case .addresses(let addresses) = HostLookup.system.addresses(of: "localhost", until: .soon) else {
      Issue.record("localhost is not known")
      return
    }
    #expect(!addresses.isEmpty && addresses.allSatisfy { ["127.0.0.1", "::1"].contains($0) })
    // A name that no resolver has.
    guard case .failure(let reason) = HostLookup.system.addresses(of: "no host", until: .soon) else {
      Issue.record("found")
      return
    }
    #expect(reason.contains("no host"))
  }

  @Test func aNameServerThatDoesNotAnswerCostsTheDeadlineAndOneThreadForAll() async {
    let gate = Gate()
    let asked = Locked(0)
    let lookup = HostLookup { _ in
      asked.withLock { $0 += 1 }
      gate.block()
      return .addresses(["127.0.0.7"])
    }
    for _ in 0..<5 {
      let (answer, took) = await timed { lookup.addresses(of: "slow", until: .after(.milliseconds(50))) }
      #expect(answer == nil && took < .seconds(5))
    }
    #expect(lookup.addresses(of: "slow", until: .soon, isOver: { true }) == nil)
    #expect(asked.withLock(\.self) == 1)
    gate.open()
    #expect(await eventually { lookup.addresses(of: "slow", until: .soon) == .addresses(["127.0.0.7"]) })
  }
}
