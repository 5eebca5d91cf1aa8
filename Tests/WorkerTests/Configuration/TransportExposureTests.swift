import Testing

@testable import order_worker

@Suite struct TransportExposureTests {
  private static func sentences(_ environment: [String: String]) throws(ConfigurationFaults) -> [String] {
    var loader = ConfigurationLoader(environment: environment, flags: []) { _ throws(FileFault) in throw FileFault(reason: "none") }
    return TransportExposure.sentences(try loader.load())
  }

  private static let remote = ["ORDERS_AMQP_URL": "amqp://u:hunter2@rabbit", "ORDERS_DATABASE_URL": "postgres://u:hunter2@db/orders?sslmode=require"]

  @Test func inProductionEachServerThatIsNotReachedSafelyIsToldOf() throws {
    let sentences = try Self.sentences(Self.remote.merging(["ORDERS_ENV": "production"]) { one, _ in one })
    #expect(sentences.count == 2 && sentences[0].contains("rabbit:5672") && sentences[1].contains("db:5432"), "\(sentences)")
    #expect(!"\(sentences)".contains("hunter2"))
  }

  @Test func plainHTTPToOtherMachinesIsToldOf() throws {
    let pages = [
      "ORDERS_ENV": "production", "ORDERS_JWT_JWKS_URL": "http://issuer:8080/jwks.json", "ORDERS_PAYMENT_URL": "HTTP://pay.example/v1",
      "ORDERS_OTLP_ENDPOINT": "http://collector:4318",
    ]
    let sentences = try Self.sentences(pages)
    #expect(sentences.count == 3 && zip(sentences, ["issuer", "pay.example", "collector"]).allSatisfy { $0.contains($1) }, "\(sentences)")
    let safe = ["ORDERS_ENV": "production", "ORDERS_JWT_JWKS_URL": "https://issuer/jwks.json", "ORDERS_PAYMENT_URL": "http://127.0.0.1:9/v1"]
    #expect(try Self.sentences(safe).isEmpty)
  }

  @Test func elsewhereNothingIsSaid() throws {
    #expect(try Self.sentences(Self.remote).isEmpty)
    #expect(try Self.sentences(["ORDERS_ENV": "production"]).isEmpty, "the defaults are on this machine")
    let safe = ["ORDERS_ENV": "production", "ORDERS_AMQP_URL": "amqps://rabbit", "ORDERS_DATABASE_URL": "postgres://u@db/orders?sslmode=verify-full"]
    #expect(try Self.sentences(safe).isEmpty)
  }
}
