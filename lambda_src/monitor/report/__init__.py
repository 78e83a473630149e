"""The report for people, and its short form for programs."""

from lambda_src.monitor.report.files import write_reports
from lambda_src.monitor.report.page import render
from lambda_src.monitor.report.summary import summarize

__all__ = ["render", "summarize", "write_reports"]
