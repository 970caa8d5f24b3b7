"""Results of a comparison as tables, plots and verdicts on the paper's claims."""

from warptag.reporting.annotations import annotation_sheet
from warptag.reporting.claims import Claim, Comparison, judge_claims
from warptag.reporting.evaluation import BASELINES, CNN_METHODS, METHODS, Evaluation
from warptag.reporting.gallery import write_gallery
from warptag.reporting.markdown import tables_markdown, write_markdown
from warptag.reporting.page import write_page
from warptag.reporting.page_data import claims_table, write_claims, write_history, write_summary
from warptag.reporting.paper import PAPER_TABLES, paper_figures
from warptag.reporting.per_class import per_class_table, write_per_class
from warptag.reporting.plots import plot_by_frequency
from warptag.reporting.published import PUBLISHED_COREL5K, published_table, write_published
from warptag.reporting.report import write_results
from warptag.reporting.tables import result_table, write_table
from warptag.reporting.training_curves import plot_training_curves

__all__ = [
    "BASELINES",
    "CNN_METHODS",
    "METHODS",
    "PAPER_TABLES",
    "PUBLISHED_COREL5K",
    "Claim",
    "Comparison",
    "Evaluation",
    "annotation_sheet",
    "claims_table",
    "judge_claims",
    "paper_figures",
    "per_class_table",
    "plot_by_frequency",
    "plot_training_curves",
    "published_table",
    "result_table",
    "tables_markdown",
    "write_claims",
    "write_gallery",
    "write_history",
    "write_markdown",
    "write_page",
    "write_per_class",
    "write_published",
    "write_results",
    "write_summary",
    "write_table",
]
