"""A shop whose streams take the calls of Segment's libraries."""

from __future__ import annotations

from aforo.model.reading import read_model

SHOP = read_model(
    """
streams:
  orders:
    fields:
      total: {type: number, required: true}
      page: {type: string, max_length: 20}
      visitor: string
    entities: {buyer: visitor}
    measures: {paid: count, money: {sum: total}, buyers: {distinct: buyer}}
    rollups: {all_orders: {by: []}}
    segment:
      call: track
      event: Order Completed
      fields: {page: context.page.path, visitor: [userId, anonymousId]}
  views:
    fields: {kind: string, name: string, path: string}
    measures: {seen: count}
    rollups: {all_views: {by: [kind]}}
    segment: {call: [page, screen], fields: {kind: type}}
  people:
    fields: {user_id: {type: string, required: true}, plan: string}
    measures: {told: count}
    rollups: {plans: {by: [plan]}}
    segment: identify
  teams:
    fields: {group_id: string, seats: integer}
    measures: {joined: count, seats_sum: {sum: seats}}
    rollups: {all_teams: {by: []}}
    segment: group
  merges:
    fields: {user_id: string, previous_id: string}
    measures: {merged: count}
    rollups: {all_merges: {by: []}}
    segment: alias
  bought:
    id: [order]
    fields: {order: {type: string, required: true}}
    measures: {lines: count}
    rollups: {all_lines: {by: []}}
    segment: {call: track, event: [Product Bought, Order Completed]}
metrics:
  orders: {formula: paid}
  revenue: {formula: money}
  buyers: {formula: buyers}
  seen: {formula: seen}
  told: {formula: told}
  seats: {formula: seats_sum}
  merged: {formula: merged}
  bought: {formula: lines}
""",
    source="shop",
)
