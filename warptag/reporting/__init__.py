"""Results of a comparison as tables, charts, verdicts on the paper's claims, and a page."""

from tfrecords_tools.extras import requires

with requires("reproduce"):
    from warptag.reporting.evaluation import Evaluation
    from warptag.reporting.page import write_page
    from warptag.reporting.published import published_table
    from warptag.reporting.report import write_results
    from warptag.reporting.result_folder import table_paths

__all__ = ["Evaluation", "published_table", "table_paths", "write_page", "write_results"]
