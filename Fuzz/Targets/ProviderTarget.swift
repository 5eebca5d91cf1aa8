import Application
import Domain

@testable import HTTPPaymentAdapter

/// What a payment provider answers. The first line is the status, the second the header Retry-After or nothing, then the body.
enum ProviderTarget {
  private static let calls = ["/authorizations", "/authorizations/auth%2F1/capture", "/authorizations/auth%2F1/void"].map {
    PaymentCall(key: "k-1", target: $0, body: [])
  }

  static func run(_ input: [UInt8]) {
    let lines = input.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
    guard lines.count == 3 else { return }
    let status = Int(String(decoding: lines[0], as: UTF8.self)) ?? 200
    let retryAfter = lines[1].isEmpty ? nil : String(decoding: lines[1], as: UTF8.self)
    let response = ProviderResponse(status: status, retryAfter: retryAfter, body: Array(lines[2]))
    let wait = RetryAfter.read(retryAfter, now: Fixed.now)
    expect(wait >= .zero && wait <= RetryAfter.longest, "a provider would be left alone for too long")
    expect(response.code.map { (1...64).contains($0.utf8.count) } ?? true, "a word is too long")
    for call in calls {
      let answer = response.answer(to: call, now: Fixed.now)
      let lookedUp = response.answer(toKeyOf: call, now: Fixed.now)
      expect(answer == response.answer(to: call, now: Fixed.now), "the second reading differs")
      check(answer, status, call)
      check(lookedUp, status, call)
      if [.neverCame, .notTold].contains(lookedUp) { expect(status == 404, "a key is unknown by another answer than 404") }
      expect(![.neverCame, .notTold].contains(answer), "a call was answered as a look")
    }
  }

  private static func check(_ answer: PaymentAnswer, _ status: Int, _ call: PaymentCall) {
    switch answer {
    case .known(.succeeded(let id)):
      expect((200...201).contains(status), "money was moved by an answer that is no success")
      expect(AuthorizationID(id.rawValue) != nil, "an authorisation's id is none")
      expect(call.target == "/authorizations" || id.rawValue == "auth/1", "another authorisation was taken")
    case .known(.declined(let code)): expect(code?.utf8.contains(0) != true && (code?.utf8.count ?? 0) <= 64, "a code cannot be stored")
    case .known, .neverCame, .notTold: break
    case .noEffect(let reason, _): expect((300..<500).contains(status) || status == 503, "\(status) was taken for no effect: \(reason)")
    case .unknown(let reason): expect(reason.utf8.count < 1_024, "a reason is too long")
    }
  }
}
