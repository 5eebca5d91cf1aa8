import RabbitMQClient
import TestSupport

/// The two commands of an order, as their bodies are written.
struct OrderCommands: Sendable {
  let world: ProductWorld
  let order: String
  /// Two pieces of it.
  let product: String
  /// Of a piece, in USD.
  let price: String
  let method: String?

  func create(id: String, confirm: Bool = false) -> Publication {
    let method = method.map { #","payment_method":"\#($0)""# } ?? ""
    let item = #"{"product_id":"\#(product)","quantity":2,"unit_price":"\#(price)"}"#
    return command(#"{"order_id":"\#(order)","customer_id":"c","currency":"USD","items":[\#(item)],"confirm":\#(confirm)\#(method)}"#, id, "order.create")
  }

  /// `more` are further members, each behind a comma.
  func update(to status: String, id: String, more: String = "") -> Publication {
    command(#"{"order_id":"\#(order)","status":"\#(status)"\#(more)}"#, id, "order.update_status")
  }

  private func command(_ body: String, _ id: String, _ type: String) -> Publication { world.publication(Array(body.utf8), id: id, type: type) }
}
