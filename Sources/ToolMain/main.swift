// The executable behind `./apus`: everything is in the library `Tool`, so that it can be tested.
import Tool

await Apus.start()
