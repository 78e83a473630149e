"""A budget that sends a mail when a month becomes expensive."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct


class MonthlyBudget(Construct):
    """A mail at 80 per cent of the budget, and when the forecast for the month exceeds it.

    The budget counts the whole account, so one stack of each account has it. A budget for this
    deployment's tags would count nothing until somebody activates the tags for billing.
    """

    def __init__(self, scope: Construct, construct_id: str, *, usd: int, email: str) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                _mail(email, "ACTUAL", percent=80),
                _mail(email, "FORECASTED", percent=100),
            ],
        )


def _mail(
    email: str, kind: str, *, percent: int
) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[
            budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=email)
        ],
    )
