import Application
import Domain
import Testing

@Suite struct UpdateStatusBodyTests {
  @Test func aWholeBodyIsReadFieldByField() throws {
    let update = try #require(CommandFixture.update(#""reason":"too\nlate","expected_version":3.0,"payment_method":"pm_2""#).update)
    #expect(update.order.description == CommandFixture.id && update.status == .confirmed)
    #expect(update.reason == "too\nlate" && update.expectedVersion == 3 && update.paymentMethod?.rawValue == "pm_2")
  }

  @Test func whatIsAbsentOrNullIsNil() throws {
    let update = try #require(CommandFixture.update(#""reason":null,"expected_version":null,"payment_method":null"#).update)
    #expect(update == UpdateStatus(order: update.order, status: .confirmed))
  }

  @Test(arguments: OrderStatus.allCases)
  func everyStatusThatThereIsIsLeftToTheDomain(status: OrderStatus) throws {
    #expect(try #require(CommandFixture.update("\"status\":\"\(status.rawValue)\"").update).status == status)
  }

  @Test(arguments: [
    (#""order_id":null"#, "order_id required"), (#""order_id":"1""#, "order_id format"), (#""order_id":1"#, "order_id type"),
    (#""status":"exploded""#, "status format"), (#""status":"Confirmed""#, "status format"), (#""status":"""#, "status format"),
    (#""status":1"#, "status type"), (#""status":null"#, "status required"), (#""reason":1"#, "reason type"), (#""reason":"a\u0000""#, "reason format"),
    ("\"reason\":\"\(String(repeating: "ä", count: 1_025))\"", "reason too_long"), (#""expected_version":0"#, "expected_version range"),
    (#""expected_version":-1"#, "expected_version range"), (#""expected_version":9223372036854775808"#, "expected_version range"),
    (#""expected_version":1.5"#, "expected_version type"), (#""expected_version":"1""#, "expected_version type"),
    (#""payment_method":"""#, "payment_method required"), (#""payment_method":{}"#, "payment_method type"),
  ])
  func aFaultNamesItsFieldAndCode(member: String, fault: String) {
    #expect(CommandFixture.update(member).faults == [fault])
  }

  @Test func theLongestReasonIsTaken() {
    #expect(CommandFixture.update("\"reason\":\"\(String(repeating: "ä", count: 1_024))\"").update != nil)
  }
}
