"""The registry of stable codes; docs/codes.md is made from it."""

CODES: dict[str, str] = {
    # reading files
    "path-outside-root": (
        "A file is outside the source folder and image roots; it was not opened."
    ),
    "link-outside-root": "A symbolic link leads out of the source folder; it was not followed.",
    "linked-folder": "The source contains a symbolic link to a folder; it was not followed.",
    "not-a-file": "It is not a file but a pipe, socket, device or folder; it was not opened.",
    "unreadable": "The file or folder cannot be read: permissions, a dangling link, or it is gone.",
    "empty-file": "The file has 0 bytes.",
    "file-too-large": "The file is larger than the limit for its kind.",
    "lfs-pointer": "The file is a Git LFS pointer; the real content was never fetched.",
    # archives
    "archive-unsafe": (
        "A member of an archive is a link, is absolute, leads out of it, or occurs twice;"
        " nothing was unpacked."
    ),
    "archive-too-large": (
        "An archive has more members or bytes, or is compressed more, than is allowed; see the"
        " message."
    ),
    "archive-unreadable": "An archive is damaged, truncated, encrypted, or of an unsupported kind.",
    "georeferenced": "The georeference of an image was kept from a GeoTIFF.",
    "georeference-differs": "An image and its labels have different georeferences.",
    "no-data": "Pixels of an image hold no data; its mask is ignored there.",
    "archive-unpacked": "How the names and folders of an archive were interpreted.",
    # JSON
    "bad-json": "The file is not valid JSON.",
    "bad-encoding": "The encoding of the text is unknown or ambiguous.",
    "duplicate-key": "An object in the JSON has the same key twice; which one counts is unknown.",
    "other-json": "A JSON file is not a labelme annotation; it was skipped.",
    "other-encoding": "The JSON was read in another encoding than UTF-8.",
    # annotations
    "bad-annotation": "A field of the annotation has the wrong type or is missing.",
    "bad-shape": "A shape cannot be drawn: too few points, wrong type, or a non-finite number.",
    "unknown-shape-type": "A shape has a type that segprep does not know.",
    "shape-too-complex": (
        "Drawing the shape would take unreasonably long; most likely it is broken."
    ),
    "bad-label": "A label is empty, not text, too long, or has control characters.",
    "shape-skipped": "A shape that cannot be drawn was skipped, as --bad-shape skip asks for.",
    "points-normalized": (
        "All coordinates (of a file; in a note: of a shape) lie within 0 to 1: they are"
        " fractions of the image size, not pixels."
    ),
    "field-ignored": "A field that does not affect the mask is invalid; it was ignored.",
    "name-with-blank": "Sample names contain blanks; readers that split lists at blanks lose them.",
    "label-typo": "A label occurs once and is one letter away from a frequent one: a likely typo.",
    "unknown-label": "A label is not in the class list.",
    "label-unpainted": "A label (or color) was not painted because of --exclude or --unknown.",
    "label-variant": "Two labels differ only by case, blanks or invisible characters.",
    "no-shapes": "The annotation has no shapes; its mask is all background.",
    "hidden-shape": "A shape is completely covered by later ones.",
    "class-covered": "Later shapes cover shapes of another class.",
    "shape-outside": "A shape lies wholly outside the image.",
    "shape-without-area": "A line, a point or another shape without area was not painted.",
    "boxes-alone": "Nearly all shapes are boxes, which also hold the surroundings of objects.",
    "box-skipped": "Boxes without an outline were not painted, as --boxes skip says.",
    "bad-array": "A file of numbers does not hold one class id per pixel.",
    "one-class-only": "A mask is the same class everywhere.",
    "label-file-empty": "A label file is empty: its image has no objects.",
    "label-file-missing": "An image has no label file; its mask is all background.",
    "classes-ambiguous": "Several files or attributes may define the classes.",
    "bad-xml": "The file is not valid XML, or declares a document type or entities.",
    "bad-yaml": "The file is not valid YAML, has aliases, or does not hold keys with values.",
    "degenerate-shape": "A shape encloses no area, only a line or a point.",
    "overlap": "Shapes of different classes or objects overlap, and --overlap error was given.",
    "too-many-classes": "More than 255 classes do not fit an 8-bit mask.",
    "too-many-objects": "More than 65,534 objects in one image.",
    "bad-classes": "The class list cannot be used.",
    "classes-inferred": "No class list was given; it was made from the labels found.",
    "classes-found": "The class list was read from a labels.txt in the source folder.",
    "classes-changed": (
        "New classes were appended to the list of a tree; existing ids are unchanged."
    ),
    "background-first": "The source's background was not class 0; it was moved there.",
    "class-vanished": ("The source no longer has a class of the tree; the class keeps its id."),
    # images
    "image-missing": "No image, or more than one, was found for an annotation.",
    "image-ambiguous": "More than one image could belong to an annotation.",
    "image-found-elsewhere": "The image was not where imagePath says, but elsewhere in the source.",
    "image-chosen": (
        "Several images have the name given in an annotation; the note says which was used and why."
    ),
    "image-replaced": "The size of an image file in bytes has changed since it was annotated.",
    "image-embedded": "The embedded copy (imageData) was used as the image.",
    "image-damaged": "The image cannot be decoded or fails its own checksums.",
    "image-repaired": "An image file had a damaged end, but all its pixels; it was rewritten.",
    "image-unsupported": "The file is not an image of a supported format or pixel type.",
    "image-too-large": "The image has more pixels than --max-pixels allows.",
    "image-frames": "The image file holds several frames; the first was used.",
    "image-shared": "Several samples were made from one image file.",
    "image-converted": "The image was written in another format or pixel type.",
    "image-extension": "The file extension does not match the content; the copy has the right one.",
    "image-upright": "The image's EXIF orientation was applied once; the copy is upright.",
    "orientation-unclear": "The EXIF orientation keeps the size; the annotated view is unclear.",
    "image-copies": "The source contains identical copies of an image; the first was used.",
    "image-disagrees": "The image file and the embedded copy show different pictures.",
    "bad-image-data": "The embedded imageData is not valid base64 of an image.",
    "size-mismatch": "Image, mask and annotation disagree about the size.",
    # masks
    "mask-empty": "An image has no mask file; with --missing empty, its mask is all background.",
    "duplicate-folder": "A folder of the source is a copy of another; it was skipped.",
    "phantom-class": (
        "A class occurs only as a rim between two others, as smoothing and JPEG produce."
    ),
    "instances-suspected": "The values or labels look like numbers of objects, not like classes.",
    "mask-missing": "No mask, or more than one, was found for an image.",
    "mask-is-colour": "The mask holds colors where class ids or gray levels were expected.",
    "mask-grey-rgb": (
        "The mask stores its class ids as equal red, green and blue; they were read as one channel."
    ),
    "palette-ambiguous": "Palette indices may differ from what the colors or gray levels mean.",
    "unknown-value": "The mask holds pixel values that are not classes.",
    "values-unclear": "The meaning of the masks' values is unclear and has to be stated.",
    "only-background": "Every pixel of the masks is background; no class is painted anywhere.",
    "intermediate-values": "A black and white mask holds values in between; the threshold decided.",
    "foreground-unstated": (
        "Whether dark or light is the foreground was not stated; nothing is guessed."
    ),
    "unknown-colour": "The mask holds colors that are not in the color map.",
    # drawings on photographs, stacks
    "image-unlabelled": "The source holds these images without labels; they are not samples.",
    "mask-steps": "Single pixels lie between smaller and larger ids; most other masks have none.",
    "mask-frames": "A mask file holds several frames or pages; which one is the mask is unknown.",
    "packed-twin": "A file exists both compressed and uncompressed; the uncompressed one was used.",
    "stack-length": "The number of pages in a stack differs from its labels or its header.",
    "values-zero-one": "A black-and-white mask holds 0 and 1 instead of 0 and 255; 1 means white.",
    "view-empty": "A field of view has no pixel.",
    "view-outside": (
        "How many pixels lie outside the field of view, and how many of them were drawn as vessel."
    ),
    "folders-unclear": "The names do not show which folder holds the images and which the masks.",
    "format-detected": "Which format was detected, and by what evidence.",
    "folders-chosen": "Several folders may hold the masks; which one was taken.",
    "paired-by": "Images and masks have different names; this is how they were paired.",
    "listed-missing": "An official list names samples that the source does not hold.",
    "labels-from": "Which of several label files the masks were made from.",
    "annotations-unclear": (
        "Several annotation files describe the same images; which is meant has to be stated."
    ),
    "duplicate-id": "Two annotations have the same id; both were drawn.",
    "crowd-ignored": "Regions of many objects (COCO's iscrowd) were painted as ignored.",
    "root-category": (
        "A category that no annotation uses and all others name as supercategory: not a class."
    ),
    "categories-by-name": "Files number their categories differently; they were matched by name.",
    "class-unused": "A class of the list is not a category of the source.",
    "all-ignored": "Every pixel of the mask is ignored.",
    # instances
    "instance-empty": "An instance mask is empty; it is not an object.",
    "instance-duplicate": (
        "An instance mask repeats another pixel by pixel; it is not a second object."
    ),
    "instance-covered": "An instance is completely covered by others.",
    "instance-overlap": "Instances share pixels; the smaller one is on top.",
    "instance-hole": "Instances enclose pixels that belong to none of them.",
    # names
    "bad-stem": "A file name cannot become a sample name on every system.",
    "stem-joined": "The folders in a sample's name became part of its file name.",
    "stem-collision": "Two sources would become the same sample.",
    # workers
    "cluster-unusable": (
        "The Dask cluster cannot be used: no answer, different versions, or files that are not"
        " shared."
    ),
    "workers-cannot-start": (
        "Worker processes end before their first item; most often the calling script has no main"
        " guard."
    ),
    "reader-crashed": (
        "Reading this file failed in a way that is a fault of segprep; the other files are not"
        " affected."
    ),
    "memory-limit": "Reading this file needs more memory than --max-memory allows.",
    "time-limit": "Reading this file takes longer than --max-seconds allows.",
    "worker-died": "A worker process was killed (out of memory?) while it converted this file.",
    # trees
    "no-tree": "No VOC-style tree was found.",
    "two-trees": "Several datasets are possible; name one.",
    "no-manifest": "The dataset or export has no manifest to compare its files with.",
    "bad-manifest": "segprep.json or records.jsonl is damaged or from a newer segprep.",
    "bad-list": "A list in ImageSets/Segmentation cannot be used.",
    "tree-exists": "The output already holds a dataset; nothing was changed.",
    "output-changed": "A file of the tree was changed after segprep wrote it.",
    "output-overlaps-source": "Source and output are the same folder, or one contains the other.",
    "link-in-output": "A symbolic link stands where segprep would write.",
    "unfinished-run": "The output holds the unfinished work of another command.",
    "write-failed": "A file could not be written.",
    "locked": "Another segprep run is working on this folder.",
    "locks-unsupported": "The file system does not support locks; two runs could collide.",
    "nothing-to-convert": "The source folder holds no annotation of this format, or no shape.",
    "bad-input": "Some inputs cannot be converted; nothing was written.",
    "source-vanished": "A sample's source is gone; the sample was removed from the tree.",
    "mask-not-png": "Masks are not PNG files; their samples were skipped.",
    "no-mask-for-stem": "A list names a sample that the tree does not have.",
    # splits
    "unknown-rule": "No rule of check has this code.",
    "bad-settings": "segprep.toml or pyproject.toml cannot be used.",
    "bad-ratio": "The split ratio cannot be read.",
    "groups-found": "The groups that --group-by found in images or names.",
    "bad-group": "The grouping expression or table cannot be used.",
    "lists-exist": "The dataset is already split.",
    "nothing-to-keep": "There is no list to keep or to update.",
    "empty-split": "A split with a non-zero ratio got no sample, or its list is empty or missing.",
    "lists-overlap": "Samples are in several of train, val and test.",
    "equal-images": "Image files are byte-identical; they stay in one list.",
    "equal-images-apart": "Identical images are already in two lists; they were not moved.",
    "class-missing": "A class does not occur in every split.",
    "too-few-samples": "There are fewer samples (or groups) than needed.",
    # scores
    "prediction-missing": "A truth mask has no prediction of the same stem.",
    "truth-unread": "Truth masks saved as JPEG or WebP, which change class ids, were not scored.",
    "ids-suspicious": "Predicted ids look shifted, swapped, or like black and white maps.",
    "extra-prediction": "A prediction has no truth of the same stem; it was not scored.",
    "no-pairs": "Truth and predictions have no stem in common, or there is nothing to score.",
    "invalid-prediction": "A prediction holds a value that is not a class.",
    "bad-prediction": "A prediction's format cannot be read as class ids or probabilities.",
    "nan-prediction": "A prediction holds probabilities that are not a number.",
    "ignore-is-class": (
        "The ignore index lies inside the class range; to exclude a class from the mean, use"
        " --exclude-class."
    ),
    "classes-needed": "The number of classes is unknown.",
    "nothing-counted": "Every truth pixel is ignored; no score is defined.",
    "no-objects": "Objects were to be scored, but the truth has no instance masks.",
    "output-exists": "The folder for results is not empty; nothing was changed.",
    "no-predictions": "No predictions were given, and the dataset holds none of a train-check.",
    # pretrained weights
    "weights-hash": "A file of weights has another SHA-256 than the one given; it was not used.",
    "weights-refused": (
        "A file of weights holds more than tensors and plain values; it was not run."
    ),
    "bad-weights": "A file of weights is damaged, or holds no named tensors.",
    "weights-no-match": "No tensor in the file matches the model by name and shape.",
    "weights-not-finite": "The weights hold numbers that are not finite.",
    "download-failed": "A file could not be fetched from its address.",
    # exports
    "no-split": "The dataset has no train, val and test lists.",
    "output-occupied": (
        "The output holds an earlier export, or something that no export wrote; nothing was"
        " changed."
    ),
    "link-refused": "The system does not allow a link where one was asked for.",
    "order-differs": "Sorted by name, frames and masks would be paired wrongly.",
    "same-image": "The same image is in several datasets.",
    "stem-prefixed": "Sample names used by several datasets were prefixed with the dataset's name.",
    "empty-tile": "Tiles that show only background were dropped.",
    "bad-tiles": "tiles.json does not describe a dataset of tiles.",
    "export-resumed": "An earlier run was interrupted; what it had finished was kept.",
    "not-held": "The target cannot hold some pixels, holes or objects; they are counted.",
    "unlisted": "Some samples are in no list.",
    "unknown-target": "No export target has this name.",
    # training
    "empty-list": "The list to train on is empty, or the dataset has no samples.",
    "no-val-images": "The list to score on is empty.",
    "output-not-ours": "The folder for results holds something else; nothing was changed.",
    "bad-checkpoint": (
        "The file is not a checkpoint of segprep, is damaged, or does not fit its model; none"
        " of it was executed."
    ),
    "class-count": "A checkpoint and the dataset have different numbers of classes.",
    "loss-nan": "The training loss is NaN or infinite.",
    "out-of-memory": "A training step does not fit into memory.",
    # predictions
    "no-images": "No image to predict was found.",
    "no-image-file": "A folder of images also holds other files; they were skipped.",
    "bad-video": "A video cannot be read or written.",
    "tiles-differ": "Tiles are smaller than what the model looks at; labels may differ slightly.",
    "video-short": "A video has fewer frames than it states.",
    "bad-onnx": "The file is not an ONNX model exported by segprep, or is damaged.",
    "bad-config": "A file of settings cannot be read.",
    "unknown-setting": "No setting has this name; the message names the nearest one.",
    "other-network": "A checkpoint is of another model than the run's.",
    "other-classes": "A checkpoint and the dataset have different classes.",
    "other-settings": "A run can only be resumed with the settings it was started with.",
    "process-lost": "Another process of the same training ended, so this one ended too.",
    "device-failed": "The GPU or its driver reported an error.",
    "nothing-to-resume": "The folder holds no run that can be resumed.",
    # usage
    "bad-option": "An option or argument cannot be used.",
    "format-unclear": "The folder fits no format, or more than one.",
    "unknown-format": "No source format has this name.",
    "unknown-model": "No model has this name.",
    "missing-extra": "A package is not installed; the message says how to install it.",
}
