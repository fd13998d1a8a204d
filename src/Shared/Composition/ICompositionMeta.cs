using System.Text.Json;

namespace Bff.Composition;

/// <summary>Writes <c>_meta</c> in the form that a host gives its clients.</summary>
public interface ICompositionMeta
{
    /// <summary>Writes the object that is the value of <c>_meta</c>.</summary>
    void Write(Utf8JsonWriter json, CompositionReport report);
}
