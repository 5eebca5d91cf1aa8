import ClientRuntime
import RabbitMQAdapter
import RabbitMQManagementAdapter
import Testing

@testable import order_worker

@Suite struct BrokerJudgeTests {
  private static func host(_ result: Result<BrokerFacts, BrokerJudge.Failure>) -> [Finding] {
    BrokerJudge.judge([("mq1:5672", result)], now: 0).filter { $0.verdict != .ok }
  }

  @Test(arguments: [
    ("RabbitMQ 3.9.29 at mq1:5672", true), ("RabbitMQ 3.10.0 at mq1:5672", false), ("RabbitMQ 4.0.5 (TLSv1.3) at mq1:5671", false),
    ("RabbitMQ 3.8.2 at mq1:5672", true), ("LavinMQ at mq1:5672", false),
  ])
  func aVersionIsTooOldBefore3Dot10(server: String, isTooOld: Bool) {
    #expect(Self.host(.success(BrokerFacts(server: server))).map(\.check) == (isTooOld ? ["version"] : []))
  }

  @Test func aCertificateThatRunsOutIsNamed() {
    let end = CertificateEnd(name: "mq1", seconds: 3 * 86_400)
    let found = Self.host(.success(BrokerFacts(server: "RabbitMQ 4.0.5 (TLSv1.3) at mq1:5671", certificateEnd: end)))
    #expect(found.map(\.found) == ["the certificate of mq1 runs out in 3 days, on 1970-01-04"])
  }

  @Test(arguments: [
    ("ACCESS_REFUSED - Login was refused", true, "ORDERS_AMQP_URL; `rabbitmqctl list_users`"),
    ("the server's certificate is signed by no authority in /ca.pem", false, "docs/tls.md"),
    ("the server closed the connection: it wants a client certificate, which certfile and keyfile name", false, "docs/tls.md"),
    ("the server's certificate is not for mq1, only for mq2", false, "issued for the name"),
    ("cannot connect to RabbitMQ at mq1:5672: cannot resolve mq1", false, "name server"), ("a socket error occurred", false, "take mq1:5672 out"),
    ("logging in to RabbitMQ at mq1:5672: request timed out", false, "overloaded"),
  ])
  func eachWayInWhichAConnectionFailsHasItsRemedy(reason: String, isRefused: Bool, remedy: String) {
    let found = Self.host(.failure(.init(reason: reason, isRefused: isRefused)))
    #expect(found.map(\.verdict) == [.problem])
    #expect(found.first?.mend?.contains(remedy) == true, "\(found)")
  }

  private static func topology(_ missing: [TopologyFault], _ different: [TopologyFault]?, comparedElsewhere: Bool = false) -> [String] {
    BrokerJudge.judge(TopologyFacts(missing: missing, different: different), comparedElsewhere: comparedElsewhere)
      .filter { $0.verdict != .ok }.map { "\($0.verdict.rawValue) \($0.check)" }
  }

  @Test func exchangesAndQueuesAreJudgedByWhatAMQPShows() {
    #expect(Self.topology([], []) == [])
    #expect(Self.topology([.missingExchange("a"), .missingQueue("b")], []) == ["problem exchanges and queues", "problem exchanges and queues"])
    #expect(Self.topology([], [.differentQueue("b", detail: "x")]) == ["problem arguments"])
    #expect(Self.topology([], nil) == ["not checked arguments"])
    #expect(Self.topology([], nil, comparedElsewhere: true) == [])
  }

  @Test(arguments: [ManagementAPI.Fault.unreachable("refused"), .refused, .status(404), .notUnderstood])
  func withoutAnAnswerOfTheManagementAPIEachCheckSaysThatItWasNotMade(fault: ManagementAPI.Fault) {
    let found = ManagementJudge.failed(fault, place: "mq1:15672")
    #expect(found.map(\.verdict) == [.problem] + ManagementJudge.checks.map { _ in .notChecked })
    #expect(found.first?.mend?.isEmpty == false)
  }
}
