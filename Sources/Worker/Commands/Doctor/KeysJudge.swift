/// What is to be said of the keys that senders' tokens are verified with.
enum KeysJudge {
  static func judge(_ examined: Examined<Int>, place: String) -> [Finding] {
    var list = FindingList(.keys, at: place)
    switch examined {
    case .facts(0):
      list.problem("keys", "there is none in it that can verify a token", mend: "see what the issuer publishes: RS256, ES256 and EdDSA keys with `use` sig")
    case .facts(let count): list.ok("keys", "\(count) that tokens can be verified with")
    case .failed(let reason):
      list.problem(
        "keys", reason,
        mend:
          "see that the issuer answers, and the way to it: name, proxy, network policy; without keys no command is taken once ORDERS_JWT_JWKS_STALE has passed")
    }
    return list.all
  }
}
