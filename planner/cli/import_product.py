"""`hwplan import NAME NAMESPACE...`: a product of what already lives, adopted by its first apply without a change."""

from __future__ import annotations

import click

from planner.app.request import Request
from planner.cli.common_options import common_options
from planner.cli.init import locate_new_product_folder
from planner.cli.terminal_output import print_page


@click.command("import")
@click.argument("new", metavar="NAME")
@click.argument("spaces", nargs=-1, required=True, metavar="NAMESPACE...")
@click.option("--node", default="local", show_default=True, metavar="NODE", help="Declared too where it is not there.")
@click.option("--also", multiple=True, metavar="KIND/NAME", help="Objects without a namespace; a glob of addresses.")
@click.option("--leave", multiple=True, metavar="KIND/NS/NAME", help="Objects to leave out; a glob of addresses.")
@common_options
def import_live_objects_as_product(
    request: Request, new: str, spaces: tuple[str, ...], node: str, also: tuple[str, ...], leave: tuple[str, ...]
) -> None:
    """Write the product NAME of what lives in the namespaces. The cluster is only read; nothing is overwritten.

    Left out is what the server and controllers wrote: defaults, status, what has an owner, what is in every namespace.
    Of a Secret a reference is written, never a value.
    """
    from planner.app.import_live_objects_as_product import files_of_imported_product, read_importable_objects
    from planner.app.starter_product import make_new_product, write_new_files

    product = make_new_product(locate_new_product_folder(), new, node, request.context)
    found = read_importable_objects(request, spaces, also, leave)
    files = files_of_imported_product(product, found)
    write_new_files(files)
    lines = [f"{found.count} objects"]
    lines += [f"wrote {file}" for file in files]
    lines += [f"left out {address}: {reason}" for address, reason in sorted(found.left_out.items()) if request.verbose]
    lines += [f"left out {len(found.left_out)} (-v names them)"] if found.left_out and not request.verbose else []
    print_page("\n".join([*lines, "see that they are adopted, and nothing else:", f"  hwplan plan {product.words}"]))
