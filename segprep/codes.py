"""The registry of stable codes; docs/codes.md is made from it."""

CODES: dict[str, str] = {
    # reading files
    "path-outside-root": (
        "A file lies outside the source folder and the image roots; it was not opened."
    ),
    "link-outside-root": "A symbolic link leads out of the source folder; it was not followed.",
    "linked-folder": "A symbolic link to a folder stands in the source; it was not entered.",
    "not-a-file": "A pipe, socket, device or folder stands where a file should; it was not opened.",
    "unreadable": (
        "The file or folder cannot be read: permissions, a dangling link, or it has vanished."
    ),
    "empty-file": "The file has 0 bytes.",
    "file-too-large": "The file is larger than the limit for its kind.",
    "lfs-pointer": "The file is a Git LFS pointer; the real content was never fetched.",
    # archives
    "archive-unsafe": (
        "A member of an archive is a link, is absolute, leads out of it, or is in it twice; none"
        " of it was used."
    ),
    "archive-too-large": (
        "An archive has more members, bytes or compression than a dataset has; see the message."
    ),
    "archive-unreadable": "An archive is damaged, cut off, encrypted, or of a kind not read here.",
    "georeferenced": "Where the image lies on the ground, kept from a GeoTIFF.",
    "georeference-differs": "An image and its labels lie on different ground.",
    "no-data": "Pixels of an image hold no data; its mask is ignored there.",
    "archive-unpacked": "How the names and folders of an archive were understood.",
    # JSON
    "bad-json": "The file is not valid JSON.",
    "bad-encoding": "The text is in no encoding that segprep knows.",
    "duplicate-key": "An object in the JSON has the same key twice; which one counts is unknown.",
    "other-json": "A JSON file that is not a labelme annotation; named and skipped.",
    "other-encoding": "The JSON was read as another encoding than UTF-8.",
    # annotations
    "bad-annotation": "A field of the annotation has the wrong type or is missing.",
    "bad-shape": (
        "A shape cannot be drawn: too few points, wrong type, a number that is not finite."
    ),
    "unknown-shape-type": "A shape has a type that segprep does not know.",
    "shape-too-complex": (
        "Drawing the shape would take unreasonably long; it is most likely broken."
    ),
    "bad-label": "A label is empty, not text, too long, or has control characters.",
    "shape-skipped": "A shape that cannot be drawn was skipped, as --bad-shape skip asks for.",
    "points-normalized": (
        "All coordinates (of a file; in a note: of a shape) lie within 0 to 1: they are shares of"
        " the image's size, not pixels."
    ),
    "field-ignored": (
        "A field that does not touch the mask cannot be right; it was ignored, the rest was read."
    ),
    "name-with-blank": "Sample names hold blanks; readers that split lists at blanks lose them.",
    "label-typo": "A label occurs once and is one letter off a frequent one; most likely a typo.",
    "unknown-label": "A label is not in the class list.",
    "label-unpainted": "--exclude or --unknown kept a label (or color) from being painted.",
    "label-variant": "Two labels differ only by case, blanks or invisible characters.",
    "no-shapes": "The annotation has no shapes; its mask is all background.",
    "hidden-shape": "A shape ends wholly covered by later ones.",
    "class-covered": "Shapes painted later cover shapes of another class, as the order demands.",
    "shape-outside": "A shape lies wholly outside the image.",
    "shape-without-area": "A line, a point or another shape without area was not painted.",
    "boxes-alone": "Nearly all shapes are rectangles, which hold what lies around things, too.",
    "box-skipped": "Boxes without an outline were not painted, as --boxes skip says.",
    "bad-array": "A file of numbers does not hold one class id per pixel.",
    "one-class-only": "A mask is the same class everywhere.",
    "label-file-empty": "A label file is empty, which says that its image has no objects.",
    "label-file-missing": "An image has no label file; its mask is all background.",
    "classes-ambiguous": "Several files or attributes may say what the classes are.",
    "bad-xml": "The file is not valid XML, or declares a document type or entities.",
    "bad-yaml": "The file is not valid YAML, has aliases, or holds no keys with values.",
    "degenerate-shape": "A shape encloses no area, only a line or a point.",
    "overlap": "Shapes of different classes or objects overlap, and --overlap error was given.",
    "too-many-classes": "More than 255 classes do not fit an 8-bit mask.",
    "too-many-objects": "More than 65,534 objects in one image.",
    "bad-classes": "The class list cannot be used.",
    "classes-inferred": "No class list was given; it was made from the labels found.",
    "classes-found": "The class list was read from a labels.txt in the source folder.",
    "classes-changed": "New classes were appended to the list of a tree; the other ids stay.",
    "background-first": "The source's background was not class 0; it became class 0.",
    "class-vanished": ("The source no longer has a class of the tree; the class keeps its id."),
    # images
    "image-missing": "No image, or more than one, was found for an annotation.",
    "image-ambiguous": "More than one image could belong to an annotation.",
    "image-found-elsewhere": (
        "The image was not where imagePath says, but elsewhere in the allowed folders."
    ),
    "image-chosen": "Several images have the name that an annotation gives; what told which is it.",
    "image-replaced": "An image file has another number of bytes than when it was annotated.",
    "image-embedded": "The embedded copy (imageData) was used as the image.",
    "image-damaged": "The image cannot be decoded or fails its own checksums.",
    "image-repaired": "The image file was damaged at its end; its whole pixels were written again.",
    "image-unsupported": "The file is not an image of a supported format or pixel type.",
    "image-too-large": "The image has more pixels than --max-pixels allows.",
    "image-frames": "The image file holds several frames; the first was used.",
    "image-shared": "Several samples were made of one image file.",
    "image-converted": "The image was written in another format or pixel type.",
    "image-extension": "The file extension does not match the content; the copy has the right one.",
    "image-upright": "The image's EXIF orientation was applied once; the copy is upright.",
    "orientation-unclear": "The EXIF orientation keeps the size; the annotated view is unclear.",
    "image-copies": "An image lies in the source several times, byte for byte; the first is used.",
    "image-disagrees": "The image file and the embedded copy show different pictures.",
    "bad-image-data": "The embedded imageData is not valid base64 of an image.",
    "size-mismatch": "Image, mask and annotation disagree about the size.",
    # masks
    "mask-empty": "An image without a mask file; --missing empty made its mask all background.",
    "duplicate-folder": "A folder of the source is a copy of another; it was skipped.",
    "phantom-class": (
        "A class occurs in a mask only as a rim between two others, as smoothing and JPEG make it."
    ),
    "instances-suspected": "The values or labels look like numbers of things, not like classes.",
    "mask-missing": "No mask, or more than one, was found for an image.",
    "mask-is-colour": "The mask holds colors where class ids or gray levels were expected.",
    "mask-grey-rgb": (
        "The mask stores its class ids as equal red, green and blue; they were read as one channel."
    ),
    "palette-ambiguous": "Palette indices may not be what the colors or gray levels mean.",
    "unknown-value": "The mask holds pixel values that are not a class.",
    "values-unclear": "The masks' values do not tell what they mean; it has to be stated.",
    "only-background": "Every pixel of the masks is background; no class is painted anywhere.",
    "intermediate-values": "A black and white mask holds values in between; the threshold decided.",
    "foreground-unstated": (
        "Whether dark or light is the foreground was not stated; it is never guessed."
    ),
    "unknown-colour": "The mask holds colors that are not in the color map.",
    # drawings on photographs, stacks
    "image-unlabelled": "The source holds these images without labels; they are not samples.",
    "mask-steps": "Single pixels lie between smaller and larger ids; most masks beside have none.",
    "mask-frames": "A mask file holds several frames or pages; which one is the mask is unknown.",
    "packed-twin": "A file lies there packed with gzip and unpacked; the unpacked one was used.",
    "stack-length": "A stack has another number of pages than its labels or its header say.",
    "values-zero-one": (
        "A black and white mask holds 0 and 1 instead of 0 and 255; 1 was read as white."
    ),
    "view-empty": "A field of view has no pixel.",
    "view-outside": (
        "How many pixels lie outside the field of view, and how many of them were drawn as vessel."
    ),
    "folders-unclear": "Names do not tell which folder holds the images and which the masks.",
    "format-detected": "Which format was detected, and by what evidence.",
    "folders-chosen": "Several folders may hold the masks; which one was taken.",
    "paired-by": "Images and masks have different names; this is how they were paired.",
    "listed-missing": "An official list names samples that the source does not hold.",
    "labels-from": "Which of several label files the masks were made of.",
    "annotations-unclear": (
        "Several annotation files describe the same images; which is meant has to be stated."
    ),
    "duplicate-id": "Two annotations have the same id; both were drawn.",
    "crowd-ignored": "Regions of many objects (COCO's iscrowd) were painted as ignored.",
    "root-category": (
        "A category that no annotation uses and all others name as supercategory: not a class."
    ),
    "categories-by-name": (
        "Files number their categories differently; they were matched by their names."
    ),
    "class-unused": "A class of the list is not a category of the source.",
    "all-ignored": "Every pixel of the mask is ignored.",
    # instances
    "instance-empty": "An instance mask has no pixel; it is not an object.",
    "instance-duplicate": (
        "An instance mask repeats another pixel by pixel; it is not an object of its own."
    ),
    "instance-covered": "An instance lies wholly under others and shows no pixel.",
    "instance-overlap": "Instances share pixels; the smaller one is on top.",
    "instance-hole": "Instances enclose pixels that belong to none of them.",
    # names
    "bad-stem": "A file name cannot become a sample name on every system.",
    "stem-joined": "The folders in the name of a sample became a part of its file's name.",
    "stem-collision": "Two sources would become the same sample.",
    # workers
    "cluster-unusable": (
        "The Dask scheduler or its workers cannot do the work: nobody answers, versions differ, or"
        " files are not shared."
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
    "two-trees": "More than one tree could be meant.",
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
    "nothing-to-convert": "The source folder holds no annotation of this format.",
    "bad-input": "Some inputs cannot be converted; nothing was written.",
    "source-vanished": "A sample's source is gone; the sample was taken out of the tree.",
    "mask-not-png": "Masks are pictures of another format than PNG; their samples were skipped.",
    "no-mask-for-stem": "A list names a sample that the tree does not have.",
    # splits
    "unknown-rule": "No rule of check has this code.",
    "bad-settings": "segprep.toml or pyproject.toml cannot be used.",
    "bad-ratio": "The split ratio cannot be read.",
    "groups-found": "The groups that --group-by found in images or names.",
    "bad-group": "The grouping expression or table cannot be used.",
    "lists-exist": "The dataset is already split.",
    "nothing-to-keep": "There is no list to keep or to update.",
    "empty-split": "A split with a share received no sample, or its list is empty or missing.",
    "lists-overlap": "Samples are in several of train, val and test.",
    "equal-images": "Images are equal byte for byte under several names; they stay in one list.",
    "equal-images-apart": "Equal images lie in two lists already; they were not moved.",
    "class-missing": "A class does not occur in every split.",
    "too-few-samples": "There are fewer samples (or groups) than needed.",
    # scores
    "prediction-missing": "A truth mask has no prediction of its stem.",
    "truth-unread": "Truth masks saved as JPEG or WebP, which change class ids, were not scored.",
    "ids-suspicious": "Predicted ids look shifted, swapped, or like black and white maps.",
    "extra-prediction": "A prediction has no truth of its stem; it was not scored.",
    "no-pairs": "Truth and predictions have no stem in common, or there is nothing to score.",
    "invalid-prediction": "A prediction holds a value that is not a class.",
    "bad-prediction": (
        "A prediction is stored in a form that cannot be read as class ids or probabilities."
    ),
    "nan-prediction": "A prediction holds probabilities that are not a number.",
    "ignore-is-class": (
        "The ignore index lies inside the class range; to exclude a class from the mean, use"
        " --exclude-class."
    ),
    "classes-needed": "The number of classes is not known.",
    "nothing-counted": "Every truth pixel is ignored; no score is defined.",
    "no-objects": "Objects were to be scored, but the truth has no instance masks.",
    "output-exists": "The folder for results is not empty; nothing was changed.",
    "no-predictions": "No predictions were given, and the dataset holds none of a train-check.",
    # pretrained weights
    "weights-hash": "A file of weights has another SHA-256 than the one given; it was not used.",
    "weights-refused": (
        "A file of weights holds more than tensors and plain values; nothing of it was run."
    ),
    "bad-weights": "A file of weights is damaged, or holds no tensors by name.",
    "weights-no-match": "No tensor of the file has a place of its name and shape in the network.",
    "weights-not-finite": "The weights hold numbers that are not finite.",
    "download-failed": "A file could not be fetched from its address.",
    # exports
    "no-split": "The dataset has no train, val and test lists.",
    "output-occupied": (
        "The output holds an earlier export, or something that no export wrote; nothing was"
        " changed."
    ),
    "link-refused": "The system does not allow a link where one was asked for.",
    "order-differs": "Sorted by name, frames and masks would pair wrongly.",
    "same-image": "One picture is in several datasets.",
    "stem-prefixed": "Samples whose names several datasets use got the dataset's name in front.",
    "empty-tile": "Tiles that show only background were dropped.",
    "bad-tiles": "tiles.json does not describe a dataset of tiles.",
    "export-resumed": "An earlier run was interrupted; what it had finished was kept.",
    "not-held": "The target cannot hold some pixels, holes or objects; they are counted.",
    "unlisted": "Samples that no list names.",
    "unknown-target": "No export target has this name.",
    # training
    "empty-list": "The list to train on names no image, or the dataset has none.",
    "no-val-images": "The list to score on names no image.",
    "output-not-ours": "The folder for results holds something else; nothing was changed.",
    "bad-checkpoint": (
        "The file is not a checkpoint of segprep, is damaged, or does not fit its network; nothing"
        " in it was run."
    ),
    "class-count": "A checkpoint knows another number of classes than the dataset has.",
    "loss-nan": "The training loss is NaN or infinite.",
    "out-of-memory": "A training step does not fit the memory.",
    # predictions
    "no-images": "No image to predict was found.",
    "no-image-file": "A folder of images holds other files, too; they were skipped.",
    "bad-video": "A video cannot be read or written.",
    "tiles-differ": "Tiles hold less than the network looks at; labels may differ somewhat.",
    "video-short": "A video ended before the number of frames that it states.",
    "bad-onnx": "The file is not an ONNX network that segprep exported, or is damaged.",
    "bad-config": "A file of settings cannot be read.",
    "unknown-setting": "There is no setting of this name; the nearest one is named.",
    "other-network": "A checkpoint is of another network than the run's; both are named.",
    "other-classes": "A checkpoint has other classes than the dataset; both lists are named.",
    "other-settings": "A run can only resume with the settings it began with.",
    "process-lost": "Another process of the same training ended, so this one ends too.",
    "device-failed": "The GPU or its driver reported an error.",
    "nothing-to-resume": "The folder holds no run that can be resumed.",
    # usage
    "bad-option": "An option or argument cannot be used.",
    "format-unclear": "The folder fits no format, or more than one.",
    "unknown-format": "No source format has this name.",
    "unknown-model": "No network has this name.",
    "missing-extra": (
        "This needs a package that is not installed; the message has the install line."
    ),
}
