using System.Runtime.InteropServices;

namespace MobileBff.Tests.Pictures;

/// <summary>A test that needs libvips; skipped, by that name, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VipsFactAttribute : FactAttribute
{
    public VipsFactAttribute() => Skip = NativeLibrary.TryLoad("libvips.so.42", out _) ? null : "libvips is not installed";
}
