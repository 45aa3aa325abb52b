//! Finding files whose names differ in the case of letters only.

use crate::names::join;
use crate::volume::{Kind, Path, PathBuf, Result, Volume, VolumeError};
use alloc::string::ToString;

/// The kind of what is at a path; nothing is [`Kind::Other`] as well.
pub fn kind(volume: &mut dyn Volume, path: &Path) -> Kind {
    volume.attributes(path).map_or(Kind::Other, |attributes| attributes.kind)
}

/// The path with the case of letters that it really has.
pub fn true_path(volume: &mut dyn Volume, path: &Path) -> Result<Option<(PathBuf, Kind)>> {
    // Mostly the name is right as it is.
    match volume.attributes(path) {
        Ok(found) if found.kind != Kind::Other => return Ok(Some((path.to_vec(), found.kind))),
        Ok(_) | Err(VolumeError::NotFound | VolumeError::NotDirectory) => {}
        Err(error) => return Err(error),
    }
    let mut found = PathBuf::new();
    for part in path {
        let exact = [part.to_string(), part.to_ascii_lowercase(), part.to_ascii_uppercase()];
        let next = exact.iter().find(|name| kind(volume, &join(&found, name)) != Kind::Other).cloned();
        let next = match next {
            Some(next) => next,
            None => {
                let entries = match volume.entries(&found) {
                    Ok(entries) => entries,
                    Err(VolumeError::NotFound | VolumeError::NotDirectory) => return Ok(None),
                    Err(error) => return Err(error),
                };
                let mut same = entries.iter().filter(|entry| entry.name.eq_ignore_ascii_case(part));
                let same = same.find(|entry| kind(volume, &join(&found, entry.name)) != Kind::Other);
                let Some(same) = same else { return Ok(None) };
                same.name.to_string()
            }
        };
        found.push(next);
    }
    let kind = kind(volume, &found);
    Ok(Some((found, kind)))
}

/// A directory's true path.
pub fn true_directory(volume: &mut dyn Volume, path: &Path) -> Result<Option<PathBuf>> {
    let found = true_path(volume, path)?;
    Ok(found.filter(|(_, kind)| *kind == Kind::Directory).map(|(path, _)| path))
}

/// Makes a directory with those above it; its true path.
pub fn make_directory(volume: &mut dyn Volume, path: &Path) -> Result<PathBuf> {
    if let Some((found, kind)) = true_path(volume, path)? {
        return if kind == Kind::Directory { Ok(found) } else { Err(VolumeError::Unknown) };
    }
    let (name, above) = path.split_last().ok_or(VolumeError::Unknown)?;
    let made = join(&make_directory(volume, above)?, name);
    volume.create_directory(&made)?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryVolume;

    #[test]
    fn names_ignore_case() {
        let mut volume = MemoryVolume::new(|| 0);
        let path = |text: &str| text.split('/').map(str::to_string).collect::<PathBuf>();
        make_directory(&mut volume, &path("MixedCase/Deep")).unwrap();
        volume.create(&path("MixedCase/Deep/File")).unwrap();
        assert_eq!(
            true_path(&mut volume, &path("MIXEDCASE/deep/file")),
            Ok(Some((path("MixedCase/Deep/File"), Kind::File)))
        );
        assert_eq!(true_path(&mut volume, &path("nothing")), Ok(None));
        assert_eq!(true_path(&mut volume, &path("mixedcase/deep/file/below")), Ok(None));
        assert_eq!(true_directory(&mut volume, &path("mixedcase/deep/file")), Ok(None));
        assert_eq!(make_directory(&mut volume, &path("MIXEDCASE/new")), Ok(path("MixedCase/new")));
        volume.faults.gone = true;
        assert_eq!(true_path(&mut volume, &["x".to_string()]), Err(VolumeError::Gone));
    }
}
