"""A starter product: three files that plan in a sandbox at once. Written where nothing stands yet, or not at all."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from planner.dataclass import dataclass
from planner.errors import RefusedError, SelectionError
from planner.whole_file import write_whole_file

_SOURCE = Path(__file__).resolve().parent.parent.parent / "templates" / "hwplan" / "starter"
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_WORD = re.compile(r"\bstarter\b")


@dataclass(frozen=True, slots=True)
class NewProduct:
    """The name, node and folders of a product that is about to be written. `node` is declared with it, in `context`
    of the kubeconfig, where no file declares it yet; `declares_node` says whether that is so."""

    name: str
    node: str
    context: str
    config: Path
    templates: Path
    declares_node: bool

    @property
    def words(self) -> str:
        """The selecting words, as they are given to a verb."""
        folder = "" if self.config == Path("config") else f"--config {shlex.quote(str(self.config))} "
        return f"{folder}--product {self.name}"


def make_new_product(config: Path, name: str, node: str, context: str) -> NewProduct:
    """What a product of this name would be. Raises SelectionError for a name that cannot be one, RefusedError when
    there is a product of this name, ConfigError when the configuration that is there is broken."""
    if not _NAME.fullmatch(name):
        raise SelectionError(
            f"{name!r} is no name of a product", remedy="small letters, digits and -, at most 40, a letter first"
        )
    products, nodes, templates = _declared(config)
    if name in products:
        raise RefusedError(f"the product {name} exists already", where=str(config), remedy="choose another name")
    return NewProduct(name, node, context or node, config, templates, node not in nodes)


def starter_files(product: NewProduct) -> dict[Path, str]:
    """The files of a starter product: configuration, schema, one template."""
    nodes = _text(product, "nodes.yaml") if product.declares_node else ""
    config = _text(product, "config.yaml").replace("# NODES\n", nodes)
    folder = product.templates / product.name
    return {
        product.config / f"{product.name}.yaml": config,
        folder / "schema.yaml": _text(product, "schema.yaml"),
        folder / "app" / "10-app.yaml.j2": _text(product, "10-app.yaml.j2"),
    }


def write_new_files(files: Mapping[Path, str]) -> None:
    """Write files where none stands. Raises RefusedError naming those that do; then nothing is written."""
    there = [str(file) for file in files if file.exists() or file.is_symlink()]
    if there:
        raise RefusedError(
            f"{', '.join(there)}: exists already", remedy="nothing is overwritten: choose another name, or move it away"
        )
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(file, text.encode())


def _declared(config: Path) -> tuple[frozenset[str], frozenset[str], Path]:
    """The names of the products and nodes that are declared, and where templates are."""
    inside = config / "templates"
    templates = inside if inside.is_dir() else config.parent / "templates"
    if not any(config.glob("*.yaml")):
        return frozenset(), frozenset(), templates
    from planner.loading.config import load_config

    found = load_config(config)
    return frozenset(found.products), frozenset(found.nodes), templates


def _text(product: NewProduct, name: str) -> str:
    text = (_SOURCE / name).read_text(encoding="utf-8")
    text = _WORD.sub(product.name, text).replace("CONTEXT", product.context)
    return re.sub(r"(?m)^(  |.*/)local\b", rf"\g<1>{product.node}", text)
